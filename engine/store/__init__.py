"""Content-addressed artifacts, each stored under a key of all of its inputs."""
