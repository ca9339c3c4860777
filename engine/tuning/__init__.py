"""Find the best workers of a machine and the rate it sustains, by measuring."""
