"""The terminal interface: it displays what `engine/` reports and has no logic of benchmarks."""
