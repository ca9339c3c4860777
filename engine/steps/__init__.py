"""Functions that components name, one file per kind of work; those of engine.networks, engine.datasets and
engine.standins make models and data sets."""
