"""Steps that measure: a LoadGen run and its findings, and the search for a target."""
