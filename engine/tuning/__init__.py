"""How a machine is best shared out between sessions, and which rate it sustains: found by measuring."""
