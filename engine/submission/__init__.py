"""From finished runs to a submission folder, and the checker for it."""
