"""Stand-ins: models with the shapes and the cost of a benchmark's own, and synthetic weights."""
