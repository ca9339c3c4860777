"""Resolve a selection against the profiles. Pure: no clock, no environment, no files; profiles are passed in as
records."""
