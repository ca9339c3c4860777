"""Steps that measure: one LoadGen run, the search for a target, and what is said of a run."""
