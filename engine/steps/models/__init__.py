"""Steps that fetch models, or read what a person gives."""
