"""Tests of engine.steps.machine."""
