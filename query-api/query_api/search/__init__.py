"""Searching cases: the query language, its translation for Elasticsearch, and when a write can be found."""
