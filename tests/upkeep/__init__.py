"""Permissions documents that the sidecar puts in force itself."""
