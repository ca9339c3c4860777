"""One file per framework that can execute a model."""
