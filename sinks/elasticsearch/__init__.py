"""The search view of case.events: one document a case, the highest version wins."""
