"""Schema, loading and validation of profiles: the component language."""
