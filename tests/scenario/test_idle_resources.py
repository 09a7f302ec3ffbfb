from datetime import UTC, date, datetime, time, timedelta

from compute_optimizer.model.metrics import ShardSamples, Window
from compute_optimizer.model.resource import NEWER_IDLE_TYPES, Resource
from compute_optimizer.resources import type_named
from compute_optimizer.resources.idleness import idle_recommendations
from compute_optimizer.scenario.idle_resources import (
    MAKES,
    generate_idle_resources,
    generate_idle_samples,
)

LAST = date(2026, 3, 14)
IDLERS = generate_idle_resources()


def found_idle() -> set[str]:
    """Return the names of what the rules call idle of what is generated."""
    as_of = datetime.combine(LAST + timedelta(days=1), time(), UTC)
    names: set[str] = set()
    for samples in generate_idle_samples(IDLERS, Window(LAST, LAST)):
        row_of = {arn: row for row, arn in enumerate(samples.resource_arns)}
        for one in (idler.resource for idler in IDLERS if idler.resource.arn in row_of):
            names |= set(idle_of(one, samples.row(row_of[one.arn]), as_of))
    return names


def idle_of(one: Resource, samples: ShardSamples, as_of: datetime) -> list[str]:
    kind = type_named(one.resource_type)
    assert kind is not None
    if kind.from_members is not None:
        samples = kind.from_members([one], samples)
    rules = [rule for rule in kind.idle if (rule.fixed_days or 14) == samples.window.days]
    return [
        found.resource_id
        for rule in rules
        for found in idle_recommendations(rule, [one], samples, kind.catalog(), as_of=as_of)
    ]


def test_two_of_every_make_idle_and_the_third_does_not() -> None:
    assert len(IDLERS) == 3 * len(MAKES)
    assert found_idle() == {one.resource.resource_id for one in IDLERS if not one.busy}


def test_every_newer_type_is_there() -> None:
    assert {one.resource.resource_type for one in IDLERS} >= set(NEWER_IDLE_TYPES)
