"""The provider's own endpoints. `routes` is the table: what is reachable, and who may call it."""
