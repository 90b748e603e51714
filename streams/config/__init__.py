"""Configuration: tenants, credentials, routing keys, projects, rules."""
