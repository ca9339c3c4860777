"""Tests of the submission checker."""
