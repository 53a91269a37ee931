"""Stream's permissions after a document."""
