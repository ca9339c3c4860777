"""Tests of engine.steps.models."""
