"""What-ifs in the background: they wait in the state, and each process computes one at a time.

Nobody looks for them all the time. Whoever adds one, or asks how far one is, has their process look
(`Trials.look`); so what a process left behind when it ended goes on in the next that is asked.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event, Lock, Thread

from compute_optimizer.errors import ComputeOptimizerError
from compute_optimizer.interfaces import Clock, Progress
from compute_optimizer.store import State
from compute_optimizer.store.what_ifs import STOPPED, Claim, beat, claim_what_if, finish, has_work

log = logging.getLogger(__name__)

BEAT_SECONDS = 2.0
"""Between the moments at which a what-if tells how far it is and learns that it was stopped: as
often as its page looks. Each is a write, after which all processes read anew what they remember."""

THREAD = "what-if"
"""Name of the thread that computes them."""

Compute = Callable[[bytes, Progress], bytes]
"""Returns what comes of what was asked; raises what the progress raises."""


class Stopped(Exception):
    """Nobody waits for a what-if any more."""


class Trials:
    """The thread of this process that computes what-ifs, while there are any."""

    def __init__(self) -> None:
        self.turn = Lock()
        """Held while one is looked for or computed."""
        self._lock = Lock()
        self._is_asked = False
        self._is_looking = False

    def look(self, work: Callable[[], bool]) -> None:
        """Have the thread `work` until that says that there was nothing to do."""
        with self._lock:
            self._is_asked = True
            if self._is_looking:
                return
            self._is_looking = True
        # Nobody waits for it when the program ends: another process takes over.
        Thread(target=self._look, args=(work,), name=THREAD, daemon=True).start()

    def _look(self, work: Callable[[], bool]) -> None:
        while self._goes_on():
            try:
                while self._worked(work):
                    pass
            except ComputeOptimizerError as error:
                log.warning("what-ifs cannot be computed: %s", error)
            except Exception:
                log.exception("what-ifs cannot be computed")

    def _worked(self, work: Callable[[], bool]) -> bool:
        with self.turn:
            return work()

    def _goes_on(self) -> bool:
        """Return whether somebody has asked since the last look; the thread ends where not."""
        with self._lock:
            self._is_looking, self._is_asked = self._is_asked, False
            return self._is_looking


def compute_next(state: State, clock: Clock, compute: Compute) -> bool:
    """Compute the what-if that waits longest; return whether there was one."""
    with state.reading() as connection:
        if not has_work(connection, clock.now()):
            return False
    with state.writing() as connection:
        claim = claim_what_if(connection, clock.now())
    if claim is None:
        return False
    result, problem = _computed(state, clock, claim, compute)
    with state.writing() as connection:
        finish(connection, claim, result, problem)
    return True


def _computed(
    state: State, clock: Clock, claim: Claim, compute: Compute
) -> tuple[bytes | None, str]:
    """Return what came of a what-if, and why there is nothing."""
    try:
        with _told(state, clock, claim) as progress:
            return compute(claim.asked, progress), ""
    except Stopped:
        return None, STOPPED
    except ComputeOptimizerError as error:
        return None, str(error)
    except Exception:
        log.exception("the what-if %s failed", claim.what_if_id)
        return None, "It failed. The program's log says why."


@dataclass(slots=True)
class _Course:
    """How far a what-if is, between the thread that computes it and the one that tells."""

    done: int = 0
    total: int = 0
    is_wanted: bool = True
    over: Event = field(default_factory=Event)

    def note(self, done: int, total: int) -> None:
        """Note how far it is; raise Stopped where nobody waits for it any more."""
        self.done, self.total = done, total
        if not self.is_wanted:
            raise Stopped


@contextmanager
def _told(state: State, clock: Clock, claim: Claim) -> Iterator[Progress]:
    """Have the state know how far a what-if is until the end of the block."""
    course = _Course()
    # By a thread of its own: a step may take longer than a heartbeat may stand still.
    teller = Thread(target=_tell, args=(state, clock, claim, course), daemon=True)
    teller.start()
    try:
        yield course.note
    finally:
        course.over.set()
        teller.join()


def _tell(state: State, clock: Clock, claim: Claim, course: _Course) -> None:
    while course.is_wanted and not course.over.wait(BEAT_SECONDS):
        try:
            with state.writing() as connection:
                told = beat(connection, claim, course.done, course.total, clock.now())
            course.is_wanted = told
        except ComputeOptimizerError as error:
            log.warning("the state was not told how far a what-if is: %s", error)
