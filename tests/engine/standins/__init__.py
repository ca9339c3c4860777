"""Tests of engine.standins."""
