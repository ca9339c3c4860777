"""Many machines: a scheduler of Dask hands the trials of an exploration to the SUTs that joined it."""
