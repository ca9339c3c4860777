"""Readers of model files that other programs wrote, each checked before it is believed."""
