"""Networks that this project builds, converts or ships, layer by layer."""
