"""Tests of engine.steps.results."""
