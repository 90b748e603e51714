"""A case: what has to be dealt with, by whom, and how far it is."""
