"""Steps that fetch or quantize models, find calibration samples, or read the user's own."""
