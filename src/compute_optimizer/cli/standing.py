"""What was decided about a recommendation: columns of tables, and an option to choose by it."""

from collections.abc import Sequence
from typing import Annotated, Any, TypeVar

import typer
from sqlalchemy import Connection

from compute_optimizer.app import Application
from compute_optimizer.jobs.decisions import Standpoint, standpoints
from compute_optimizer.model.decision import State
from compute_optimizer.model.recommendation import Recommendation

R = TypeVar("R", bound=Recommendation)

HEADINGS = {"recommendationId": "Id", "state": "State", "owner": "Owner"}

StatesOption = Annotated[
    list[State] | None,
    typer.Option("--state", help="Only what is in this state, such as open; may be repeated."),
]


def where_they_stand(
    application: Application,
    connection: Connection,
    found: Sequence[R],
    states: Sequence[State] | None,
) -> tuple[list[R], list[Standpoint]]:
    """Return recommendations with where each stands: those in the given states, or all of them."""
    tags, now = application.settings.owner_tag_names, application.clock.now()
    stands = standpoints(connection, found, now, tags)
    pairs = zip(found, stands, strict=True)
    kept = [(one, stand) for one, stand in pairs if not states or stand.state in states]
    return [one for one, _ in kept], [stand for _, stand in kept]


def standing_columns(stand: Standpoint) -> dict[str, Any]:
    """Return what rows have beside the recommendation."""
    return {
        "recommendationId": stand.recommendation_id,
        "state": stand.state.value if stand.state else None,
        "owner": stand.owner or None,
    }
