"""Measured speed, reported as ratios; run by the commands in the README, never asserted in the tests."""
