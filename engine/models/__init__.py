"""Readers and writers of model files that this project converts or builds itself."""
