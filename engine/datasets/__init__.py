"""Generators of synthetic data sets, and photographs with boxes that packages bring along."""
