"""Generators of synthetic data sets, and photographs with boxes from packages."""
