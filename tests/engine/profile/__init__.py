"""Tests of engine.profile."""
