"""The pure core: aggregates and their decisions. Standard library only; no clock, randomness or I/O."""
