"""Nexus: the live streams of tenants, filled from the Postgres views and woken by Redis."""
