"""End-to-end tests through the real command line and real LoadGen runs, with few queries."""
