"""The events of a job folded into what a person is shown of it."""
