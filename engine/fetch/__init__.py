"""Files from elsewhere: downloads that resume, package registries, archives."""
