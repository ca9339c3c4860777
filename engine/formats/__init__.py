"""Readers of model files of other programs, with validation."""
