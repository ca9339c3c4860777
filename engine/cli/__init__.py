"""The inferdeck command."""
