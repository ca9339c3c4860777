"""Tests: units mirror the modules of engine/ and tui/; measured speed is in tests/benchmarks."""
