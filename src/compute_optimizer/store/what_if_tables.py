"""The table of what-ifs: asked for by one process, computed by any, read by all."""

from sqlalchemy import Boolean, Column, Integer, LargeBinary, String, Table, Text

from compute_optimizer.store.schema import UtcDateTime, metadata

what_ifs = Table(
    "what_ifs",
    metadata,
    Column("what_if_id", String(32), primary_key=True),
    # The session that asked: the id of its key, or with auth off the account.
    Column("owner", String(128), nullable=False, index=True),
    # Ids of the accounts whose resources it tells of, with blanks between.
    Column("accounts", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False, index=True),
    # As store.what_ifs.Phase.
    Column("phase", String(16), nullable=False, index=True),
    # Random, of the thread that computes it; null while none does.
    Column("claim", String(32)),
    Column("heartbeat_at", UtcDateTime),
    Column("attempts", Integer, nullable=False),
    Column("done", Integer, nullable=False),
    # Resources; 0 while it waits.
    Column("total", Integer, nullable=False),
    Column("stopped", Boolean, nullable=False),
    # Why there is no result.
    Column("problem", Text, nullable=False),
    # What it is about and what came of it, as the console keeps them, compressed.
    Column("asked", LargeBinary, nullable=False),
    Column("result", LargeBinary),
)
