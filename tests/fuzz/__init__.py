"""A fuzz runner: inputs of several kinds, each made from a seed, go through the product; nothing may crash or hang."""
