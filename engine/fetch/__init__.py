"""Resumable downloads, package registries and archives."""
