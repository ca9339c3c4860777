"""Steps that survey this machine: the system, its packages, backends, and the run configuration of the SUT."""
