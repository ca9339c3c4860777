"""What this machine is and has: the system, its packages, backends, the run configuration of the SUT."""
