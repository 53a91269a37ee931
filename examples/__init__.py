"""Small backends that use the sidecar, and the page that they serve."""
