"""What every operation is given beside its request."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from compute_optimizer.interfaces import Clock, Sink
from compute_optimizer.model.recommendation import LARGEST_PAGE
from compute_optimizer.store import State
from compute_optimizer.store.tiles import TileStore

WriteEntry = Callable[[str, Any], Any]
"""Takes the member of an answer that is a list, and one entry of it; returns what stands for the
entry in the answer. Entries that are written as they come use the same memory, one after the
other, which saves more time than writing takes."""


WriteAnswer = Callable[[Any], Any]
"""Takes a whole answer and returns what stands for it once it is written. It is the same function
for all calls of one operation in one encoding, so that what was written can be kept by it."""


@dataclass(slots=True)
class Context:
    """Who calls, where, and what the operation may use.

    Made for every request: freezing it would take longer than the shortest operation does.
    """

    account_id: str
    region: str
    request_id: str
    principal_arn: str
    """Who signed, such as arn:aws:iam::111111111111:user/ci."""
    state: State
    clock: Clock
    tiles: TileStore
    enum_style: str = "wire"
    """How EC2 enums are spelled in answers: wire (OVER_PROVISIONED) or model (Overprovisioned)."""
    page_size: int = LARGEST_PAGE
    """Recommendations on a page of a request that does not say how many it wants."""
    newer_idle_types: bool = True
    """Whether answers tell of `NEWER_IDLE_TYPES`."""
    sink: Sink | None = None
    """Where exports are written to; None where there is no such place."""
    write_entry: WriteEntry | None = None
    """Given by whoever writes the answer and looks at it no more."""
    write_answer: WriteAnswer | None = None
    """Given as `write_entry` is."""
    looked: bool = False
    """Whether the state was asked for changes since the request arrived (`State.remembered`)."""
