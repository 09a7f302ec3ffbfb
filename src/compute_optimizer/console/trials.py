"""What-ifs in the background: one is computed at a time, and the newest results are kept.

They live in this process: a server that starts again, or another one behind the same proxy, does
not know them.
"""

import logging
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from secrets import token_hex
from threading import Event, Lock, Thread
from typing import Any

from compute_optimizer.errors import ComputeOptimizerError, Conflict, NotFound

log = logging.getLogger(__name__)

KEPT = 16
"""Results; one of MOST_CHANGES rows takes some 3 MB."""

MOST_WAITING = 4
"""What-ifs that may wait for the one that is computed: each keeps a core busy."""

ID_BYTES = 8

Progress = Callable[[int, int], None]
"""Called with the steps that are done and their number."""


class Stopped(Exception):
    """Somebody stopped a what-if."""


@dataclass(slots=True, eq=False)
class Run:
    """One what-if."""

    run_id: str
    owner: str
    """The session that asked for it."""
    asked: Any
    """What it is about, as the page that started it keeps it."""
    done: int = 0
    total: int = 0
    """Steps; 0 as long as it waits for its turn."""
    result: Any = None
    problem: str = ""
    """Why there is no result."""
    stopped: bool = False
    over: Event = field(default_factory=Event)

    @property
    def is_over(self) -> bool:
        """Return whether nothing will change any more."""
        return self.over.is_set()

    def progress(self, done: int, total: int) -> None:
        """Note how far it is; raise Stopped where nobody waits for it any more."""
        self.done, self.total = done, total
        if self.stopped:
            raise Stopped


class Trials:
    """The what-ifs of one server."""

    def __init__(self) -> None:
        self._runs: OrderedDict[str, Run] = OrderedDict()
        self._lock = Lock()
        self.turn = Lock()
        """Held by the one that is computed."""

    def start(self, owner: str, asked: Any, act: Callable[[Progress], Any]) -> Run:
        """Begin a what-if in the background; raise Conflict where too many wait already."""
        run = Run(token_hex(ID_BYTES), owner, asked)
        with self._lock:
            waiting = sum(not one.is_over for one in self._runs.values())
            if waiting > MOST_WAITING:
                raise Conflict(
                    f"{waiting} what-ifs are being computed or wait; try again in a minute"
                )
            self._runs[run.run_id] = run
            over = [name for name, one in self._runs.items() if one.is_over]
            for name in over[: max(0, len(self._runs) - KEPT)]:
                del self._runs[name]
        # Nobody waits for it when the program ends: it stores nothing.
        Thread(target=self._work, args=(run, act), name="what-if", daemon=True).start()
        return run

    def find(self, owner: str, run_id: str) -> Run:
        """Return a what-if of a session; raise NotFound for any other."""
        with self._lock:
            run = self._runs.get(run_id)
        if run is None or run.owner != owner:
            raise NotFound(
                "this what-if is not known here any more: the server keeps the newest ones of each "
                "session until it ends. Try it again from the page Preferences"
            )
        return run

    def _work(self, run: Run, act: Callable[[Progress], Any]) -> None:
        try:
            with self.turn:
                run.progress(0, 0)
                run.result = act(run.progress)
        except Stopped:
            run.problem = "It was stopped; nothing was saved."
        except ComputeOptimizerError as error:
            run.problem = str(error)
        except Exception:
            log.exception("the what-if %s failed", run.run_id)
            run.problem = "It failed. The program's log says why."
        finally:
            run.over.set()
