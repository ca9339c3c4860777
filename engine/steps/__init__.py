"""Functions that components name, one file per kind of work; those of engine.models make models and data sets."""
