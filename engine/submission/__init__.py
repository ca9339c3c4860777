"""From finished runs to a folder that can be handed in, and the checker that says so."""
