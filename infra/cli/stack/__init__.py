"""`casestream`: engines and all roles on this machine, under one supervisor."""
