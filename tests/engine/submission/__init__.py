"""Tests of engine/submission."""
