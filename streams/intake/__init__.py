"""Intake: which case a signal belongs to, and under what number a new case begins."""
