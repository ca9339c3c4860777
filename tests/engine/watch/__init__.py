"""Tests of engine.watch."""
