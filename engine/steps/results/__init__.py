"""Steps after a measurement: score, verify, build the submission."""
