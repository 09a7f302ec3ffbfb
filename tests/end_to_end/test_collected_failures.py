"""What fails of the calls of a function, collected from local AWSes and told of a change."""

import json
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from compute_optimizer.engine.failures import counts_of
from compute_optimizer.model.metrics import Window
from compute_optimizer.resources.functions.failures import ERRORS, FAILURES, THROTTLES
from compute_optimizer.resources.functions.use import INVOCATIONS
from compute_optimizer.store import State, inventory
from compute_optimizer.store.tiles import TileStore, read_samples
from tests import aws_estate
from tests.commands import Type
from tests.local_aws import OWN, REGION, LocalAws

HOURS = 6
SENT = {
    INVOCATIONS: [float(40 + number % 7) for number in range(HOURS * 12)],
    ERRORS: [float(number % 3) for number in range(HOURS * 12)],
    THROTTLES: [float(number % 5 == 0) for number in range(HOURS * 12)],
}
"""In five minutes each. All differ in each slot from the others, and none is an average."""

WORDS = ("collect", "aws", "--enroll", "--accounts", OWN, "--types", "LambdaFunction")


@pytest.fixture(params=["aws", "ministack"])
def local(request: pytest.FixtureRequest) -> LocalAws:
    """Two independent AWSes."""
    found: LocalAws = request.getfixturevalue(request.param)
    return found


def sent_sums(data: Path, window: Window) -> dict[object, Sequence[float]]:
    """Return what is stored of the function, by series, without gaps."""
    with closing(State(f"sqlite:///{data / 'state.db'}")) as state, state.reading() as connection:
        (key,) = inventory.shards(connection)
        found = read_samples(connection, TileStore(data / "tiles"), key, window, SENT.keys())
    return {name: matrix[~np.isnan(matrix)].tolist() for name, matrix in found.series.items()}


def test_errors_and_throttles_are_collected_as_sums_beside_the_calls_that_they_are_a_share_of(
    local: LocalAws, typed: Type, tmp_path: Path
) -> None:
    assert counts_of(FAILURES) == SENT.keys()
    aws_estate.function(local)
    now = datetime.now(UTC).timestamp()
    end = datetime.fromtimestamp(now // 300 * 300, UTC)
    for key, values in SENT.items():
        local.put("AWS/Lambda", key.metric, {"FunctionName": "worker"}, values, end)

    ended = typed(*WORDS, "--regions", REGION, "--days", "2", "--output", "json")

    assert ended.code == 0, ended
    assert json.loads(ended.out)["failures"] == []
    window = Window((end - timedelta(days=2)).date(), end.date())
    assert sent_sums(tmp_path, window) == SENT
