"""Tests of engine.steps."""
