"""Alembic's entry point: runs the revisions on the connection that State.migrate hands over."""

from alembic import context

from compute_optimizer.store.decision_tables import decisions

context.configure(
    connection=context.config.attributes["connection"],
    # What every module of tables has put there: this one is imported after the other.
    target_metadata=decisions.metadata,
    render_as_batch=True,
)
context.run_migrations()
