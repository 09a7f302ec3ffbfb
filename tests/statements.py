"""What a state is asked."""

from sqlalchemy import event

from compute_optimizer.store import State


def selects_of(state: State) -> list[str]:
    """Return the list that every SELECT of the state is written to from now on."""
    asked: list[str] = []

    @event.listens_for(state.engine, "before_cursor_execute")
    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        asked.extend([statement] if statement.startswith("SELECT") else [])

    return asked
