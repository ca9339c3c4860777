"""Data that the engine reads: components, rounds, recipes and systems, as YAML. No code lives here."""

from pathlib import Path

FOLDER = Path(__file__).parent
"""Where the shipped profiles are."""
