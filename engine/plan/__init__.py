"""Resolve a selection against the profiles. Pure: no clock, no environment, no files; profiles come in as records."""
