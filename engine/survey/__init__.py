"""What this machine has of a plan, and what would prevent it from running."""
