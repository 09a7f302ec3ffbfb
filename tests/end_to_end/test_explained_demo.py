"""What the demo recommends is explained by its own figures, for every type of resource."""

import shutil
from collections import Counter
from pathlib import Path

from compute_optimizer.app import Application, opened
from compute_optimizer.cli.output import settings_for
from compute_optimizer.jobs.explain import explain
from compute_optimizer.jobs.recommend import by_savings
from compute_optimizer.resources import type_of
from compute_optimizer.store.tiles import TileStore
from tests.demos import PREPARED_AT
from tests.records import FixedClock

OF_EACH = 3
"""Resources of a type that are explained: those that save most."""


def explained(application: Application, folder: Path) -> Counter[str]:
    """Explain some recommendations of each type; return how many of each were the same."""
    tiles = TileStore(folder / "tiles")
    with application.state.reading() as connection:
        found = by_savings(connection)
    taken: Counter[str] = Counter()
    for one in found:
        kind = type_of(one)
        if kind.name == "Ec2Instance" or taken[kind.name] == OF_EACH:
            continue
        told = explain(
            application.state, tiles, application.clock, one.resource_arn, as_type=kind.name
        )
        summary = kind.summary(one)
        assert (told.finding, told.departures) == (one.finding.value, ()), one
        if told.choices:
            assert (told.current or told.instance_type) == summary.current
        taken[kind.name] += 1
    return taken


def test_every_type_of_the_demo_is_explained_as_it_was_decided(
    kept_demo: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "demo"
    shutil.copytree(kept_demo, folder)
    with opened(settings_for(folder, auth="off"), FixedClock(PREPARED_AT)) as application:
        taken = explained(application, folder)

    assert taken.keys() == {
        "AutoScalingGroup",
        "EbsVolume",
        "EcsService",
        "LambdaFunction",
        "License",
        "RdsDBInstance",
    }
