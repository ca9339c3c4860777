"""Survey a plan on this machine and run it, in a process of its own."""
