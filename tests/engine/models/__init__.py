"""Model files are read, converted and built as promised."""
