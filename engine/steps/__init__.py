"""The functions that components name, one file per kind of work."""
