"""Tests of engine/job."""
