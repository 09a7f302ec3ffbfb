"""What a state is asked."""

from sqlalchemy import event

from compute_optimizer.store import State


def statements_of(state: State, *words: str) -> list[str]:
    """Return the list that every statement of the state is written to from now on.

    With `words` those that begin with one of them.
    """
    asked: list[str] = []

    @event.listens_for(state.engine, "before_cursor_execute")
    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if statement.startswith(words or ("",)):
            asked.append(statement)

    return asked
