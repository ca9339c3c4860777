"""Jobs: start, run, resume and cancel them, and find existing ones."""
