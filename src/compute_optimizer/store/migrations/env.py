"""Alembic's entry point: runs the revisions on the connection that State.migrate hands over."""

from alembic import context

from compute_optimizer.store.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
)
context.run_migrations()
