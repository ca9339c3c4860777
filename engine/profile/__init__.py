"""Schema, loading and validation of profiles: the language in which components are written."""
