"""The REST API's writes: from requests to operations and back. What it decides is HTTP's business alone."""
