"""The history of the directory's schema (Alembic)."""
