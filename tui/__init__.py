"""The terminal interface: it draws what `engine/` says and decides nothing about benchmarks."""
