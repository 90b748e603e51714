"""`case-cli`: cases, projects, alerts and the live stream from a terminal."""
