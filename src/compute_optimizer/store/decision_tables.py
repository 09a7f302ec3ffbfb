"""The tables of decisions on advice, and the outbox of webhooks; migrations create them."""

from sqlalchemy import (
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
)

from compute_optimizer.store.schema import Arn, UtcDateTime, metadata

decisions = Table(
    "decisions",
    metadata,
    Column("recommendation_id", String(32), primary_key=True),
    Column("account_id", String(12), nullable=False),
    Column("resource_arn", Arn, nullable=False, index=True),
    # As it is stored: whoever was snoozed is open again once the moment has come.
    Column("state", String(16), nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
    # Lines in the log: whoever decides says how many there were, so that two cannot decide at once.
    Column("entries", Integer, nullable=False),
    # The whole model.decision.Decision as JSON (msgspec).
    Column("body", LargeBinary, nullable=False),
    Index(None, "account_id", "state"),
)

decision_log = Table(
    "decision_log",
    metadata,
    Column("recommendation_id", String(32), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("account_id", String(12), nullable=False, index=True),
    # The whole model.decision.LogEntry as JSON (msgspec).
    Column("body", LargeBinary, nullable=False),
)

applied_changes = Table(
    "applied_changes",
    metadata,
    # The same advice may be followed, undone and followed again.
    Column("recommendation_id", String(32), primary_key=True),
    Column("applied_at", UtcDateTime, primary_key=True),
    Column("account_id", String(12), nullable=False, index=True),
    # The whole model.decision.Decision as JSON (msgspec).
    Column("body", LargeBinary, nullable=False),
)

resource_owners = Table(
    "resource_owners",
    metadata,
    # Assigned ones; others are read off tags.
    Column("resource_arn", Arn, primary_key=True),
    Column("account_id", String(12), nullable=False, index=True),
    Column("owner", String(256), nullable=False),
)

webhook_events = Table(
    "webhook_events",
    metadata,
    Column("event_id", String(36), primary_key=True),
    Column("account_id", String(12), nullable=False, index=True),
    Column("occurred_at", UtcDateTime, nullable=False, index=True),
    # Whether it has a delivery for each webhook that wanted it.
    Column("addressed", Boolean, nullable=False, index=True),
    # The whole model.event.Event as JSON (msgspec).
    Column("body", LargeBinary, nullable=False),
)

webhook_deliveries = Table(
    "webhook_deliveries",
    metadata,
    Column("event_id", String(36), primary_key=True),
    # Name of the webhook in the file of webhooks.
    Column("webhook", String(64), primary_key=True),
    # As model.event.DeliveryState.
    Column("state", String(16), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("due_at", UtcDateTime, nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
    # Why the last attempt failed.
    Column("error", Text),
    Index(None, "state", "due_at"),
)
