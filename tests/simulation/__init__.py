"""The platform in one thread and on one virtual clock: real stages and projections, every fault drawn from one seed."""
