"""`case-cli rebuild ...`: views and tables made anew from the events beside those that serve."""
