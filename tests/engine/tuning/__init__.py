"""Tests of engine.tuning."""
