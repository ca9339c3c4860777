"""Resolve a selection against the profiles. Pure: no files, no clock, no environment."""
