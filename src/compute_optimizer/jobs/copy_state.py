"""Move the state to another database, of either kind."""

from compute_optimizer.errors import Conflict
from compute_optimizer.interfaces import StageProgress
from compute_optimizer.store import State
from compute_optimizer.store.state_copy import check_filled, copy_tables, is_filled


def copy_state(
    source: State, target: State, told: StageProgress, *, overwrite: bool = False
) -> dict[str, int]:
    """Copy what the source holds at one moment, and return the number of rows of each table.

    One transaction of the target: all of it or nothing. Raises NotFound where the source holds
    nothing; Conflict where the target holds data that was not to be replaced, or is the source.
    """
    shown = target.engine.url.render_as_string()
    if source.engine.url == target.engine.url:
        raise Conflict(f"{shown} is the state itself; name another database")
    with source.reading() as reader:
        check_filled(reader)
        # Not before: a target that gets nothing stays as it was.
        target.migrate()
        with target.writing() as writer:
            if is_filled(writer) and not overwrite:
                raise Conflict(
                    f"{shown} holds data already; name an empty database, or give --overwrite"
                )
            return copy_tables(reader, writer, told)
