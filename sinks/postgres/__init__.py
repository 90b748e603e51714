"""The Postgres views of the events topics, one transaction a batch."""
