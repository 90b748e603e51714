"""`casestream demo`: realistic alerts and cases, through the public APIs."""
