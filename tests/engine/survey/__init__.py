"""Tests of engine.survey."""
