"""Benchmarks: `make bench`. Figures stand beside a floor or a target of the same run; they are printed, never asserted."""
