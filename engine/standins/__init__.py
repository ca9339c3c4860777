"""Models with synthetic weights, and the shapes and the cost of a benchmark's own models."""
