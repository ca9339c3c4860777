"""Parsers of LoadGen's log files, shared by the screen, the harness and the checker."""
