"""Steps that fetch models, or read the user's own."""
