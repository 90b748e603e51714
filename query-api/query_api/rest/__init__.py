"""REST: requests to operations, rows to documents."""
