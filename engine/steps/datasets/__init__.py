"""Steps that fetch data sets, or find them on this machine."""
