"""Resolve a selection against the profiles. No clock, no environment, no files but profiles."""
