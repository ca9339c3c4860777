"""Functions that components name as their step, by kind of work. Those that make models and data sets are in
engine.networks, engine.datasets and engine.standins."""
