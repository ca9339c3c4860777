"""One file per kind of input, each with a function `make(chance) -> Case`."""
