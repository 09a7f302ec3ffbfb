"""No member of any request is silently ignored: it acts, or it is refused."""

import pytest

from compute_optimizer.shapes.model import service_model
from tests.wire.effects import EFFECTS, MEMBERS, request_members
from tests.wire.world import Refused, World

NAMES_OF_FILTERS = "filters[].name"
"""Seen by two refusals, of which only one is about the name."""


def is_refused(told: object) -> bool:
    """Whether nothing but a refusal was seen."""
    return isinstance(told, Refused) or (isinstance(told, tuple) and isinstance(told[0], Refused))


def test_every_member_of_the_model_has_its_effect_in_the_table() -> None:
    modelled = {path for _, path in request_members(*service_model().operation_names)}

    assert modelled == EFFECTS.keys()


@pytest.mark.parametrize(("operation", "path"), MEMBERS)
def test_member_of_a_request_acts(operation: str, path: str, world: World) -> None:
    without, given = EFFECTS[path](world, operation)

    assert not (is_refused(without) and path != NAMES_OF_FILTERS), without
    assert without != given
