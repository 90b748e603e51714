"""An alert: what a monitoring tool says is wrong, from its first trigger to its end, over many episodes."""
