"""Tests of engine.steps.datasets."""
