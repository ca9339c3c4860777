"""Tests of engine.steps.measuring."""
