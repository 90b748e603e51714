"""The documents of the REST API, rendered from rows of the views. Pure.

The shapes are those that the PyPI client `datadog-api-client` types. What it does not type stands beside it under names
that it keeps as additional properties.
"""
