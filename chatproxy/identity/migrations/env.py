"""Runs the migrations on the connection that `schema.upgrade` gives."""

from alembic import context

from chatproxy.identity.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,  # SQLite cannot change a column in place
    transactional_ddl=True,  # the transaction is the caller's: all steps or none
)
context.run_migrations()
