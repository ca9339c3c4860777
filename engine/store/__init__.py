"""Content-addressed artifacts: each is kept under a key of everything that went into it."""
