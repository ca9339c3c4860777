"""Jobs: to start, run, resume and cancel one, and to find those that are there."""
