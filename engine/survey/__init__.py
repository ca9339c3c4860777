"""What this machine has of a plan, and what would stop it from running."""
