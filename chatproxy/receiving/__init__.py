"""Events that a provider sends: each is handed on once. Knows no provider and no Flask."""
