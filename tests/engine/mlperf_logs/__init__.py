"""Tests of engine.mlperf_logs."""
