"""Artifacts keyed by everything that went into them, and the fetching of files."""
