"""The headless engine of inferdeck: plans, jobs, harness and results. It never imports a user interface."""

VERSION = "0.1.0"
