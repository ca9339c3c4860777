"""Explore the runs of many jobs: list, compare, vary and export them."""
