"""An organization collected from two independent local AWSes, analyzed, served and read by boto3.

Metrics are real traces. A front before each AWS counts what is asked and spoils answers.
"""

import json
import os
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from random import Random
from threading import Event
from time import sleep
from typing import Any

import pytest

from compute_optimizer.store import State, inventory
from tests.collected_estate import (
    BEFORE,
    DAYS,
    LAST_DAY,
    ROLE,
    Estate,
    make,
    scaling,
    standing,
    stored,
)
from tests.commands import Ended, Type
from tests.end_to_end.conftest import Served
from tests.forked import ended, forked
from tests.local_aws import DROPPED, GARBLED, OWN, REGION, Asked, LocalAws, point_at
from tests.waiting import SECONDS

SAMPLES = frozenset({"cloudwatch"})
ALL = SAMPLES | {"ec2", "lambda", "rds", "resourcegroupstaggingapi", "autoscaling"}
"""Services that may answer with garbage."""

SEED, KILLS = 11, 2

CREATED = ("111111111111", "222222222222")
"""Members where an AWS takes any account id."""

SCALING = "Ec2Instance,AutoScalingGroup,EcsService"
STANDING = "Ec2Instance,EbsVolume,LambdaFunction,RdsDBInstance"


@dataclass(frozen=True)
class Cloud:
    """What a local AWS has, and which accounts and types of it are collected."""

    estate: Estate
    accounts: str
    types: str

    @property
    def aws(self) -> LocalAws:
        return self.estate.aws

    def words(self) -> tuple[str, ...]:
        asked = ("--accounts", self.accounts, "--types", self.types, "--days", str(DAYS))
        where = ("--role", ROLE, "--regions", ",".join(self.estate.regions))
        return ("collect", "aws", "--enroll", *asked, *where, "--output", "json")


def organized(aws: LocalAws) -> tuple[str, ...]:
    """Make an organization of three accounts and return their ids."""
    organizations = aws.client("organizations")
    organizations.create_organization(FeatureSet="ALL")
    members = [
        organizations.create_account(Email=f"{name}@example.com", AccountName=name)
        for name in ("one", "two")
    ]
    return (OWN, *(one["CreateAccountStatus"]["AccountId"] for one in members))


def of_moto(aws: LocalAws, shared: Path) -> Cloud:
    """An organization, and services that scale.

    Not more: to find samples it looks through all of a Region for each slot and series.
    """
    return Cloud(make(aws, organized(aws), shared, scaling(aws)), "all", SCALING)


def of_ministack(aws: LocalAws, shared: Path) -> Cloud:
    """Accounts, and the rest.

    It makes no organizations, has no Application Auto Scaling, which services ask for, and tells of
    no launch templates but by their name, which groups need.
    """
    accounts = (OWN, *CREATED)
    return Cloud(make(aws, accounts, shared, standing(aws)), ",".join(accounts), STANDING)


MAKERS: dict[str, Callable[[LocalAws, Path], Cloud]] = {"aws": of_moto, "ministack": of_ministack}
"""By the fixture of the AWS."""


@pytest.fixture(params=MAKERS)
def cloud(request: pytest.FixtureRequest, shared: Path) -> Cloud:
    """Three accounts in two Regions, of which all but the last day has been measured."""
    made = MAKERS[request.param](request.getfixturevalue(request.param), shared)
    made.estate.send(0, BEFORE)
    made.aws.calls.clear()
    return made


def report_of(done: Ended, code: int = 0) -> dict[str, Any]:
    assert done.code == code, done
    found: dict[str, Any] = json.loads(done.out)
    return found


def check(cloud: Cloud, data: Path, slots: int, without: str = "") -> None:
    """Compare what is stored with the source, bit for bit."""
    expected = cloud.estate.expected(slots, without)
    assert stored(data, cloud.estate.window) == {key: {row} for key, row in expected.items()}


def test_an_organization_is_collected_analyzed_served_and_read(
    cloud: Cloud, typed: Type, tmp_path: Path, serve: Callable[..., Served]
) -> None:
    report = report_of(typed(*cloud.words()))
    check(cloud, tmp_path, BEFORE)
    assert sorted(report["accounts"]) == sorted(cloud.estate.accounts)
    assert typed("analyze", "--workers", "1").code == 0

    served = serve(state_url=f"sqlite:///{tmp_path / 'state.db'}")
    for account_id in cloud.estate.accounts:
        machines = {
            (one.region, one.suffix)
            for one in cloud.estate.series
            if (one.account_id, one.metric.resource_type) == (account_id, "Ec2Instance")
        }
        found = set()
        for region in cloud.estate.regions:
            client = served.client(account_id, region=region)
            page = client.get_ec2_instance_recommendations()
            for one in page["instanceRecommendations"]:
                found.add((region, one["instanceArn"].rpartition("/")[2]))
        assert found >= machines


@dataclass
class Kept:
    """What tests begin with that collect a second time: made once, while nobody empties the AWS."""

    folder: Path
    """What the first collection left: to be copied."""
    cloud: Cloud | None = None
    times_emptied: int = -1

    def of(self, aws: LocalAws) -> Cloud | None:
        return self.cloud if self.times_emptied == aws.times_emptied else None


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Kept:
    return Kept(tmp_path_factory.mktemp("collected"))


@pytest.fixture
def collected(
    kept: Kept, request: pytest.FixtureRequest, ministack_server: LocalAws, tmp_path: Path
) -> Iterator[Cloud]:
    """Three accounts of ministack in one Region, collected for the first time; a day has passed."""
    if (found := kept.of(ministack_server)) is None:
        found = collect_first(kept, request)
    else:
        point_at(ministack_server, tmp_path, request.getfixturevalue("monkeypatch"))
    shutil.copytree(kept.folder, tmp_path, dirs_exist_ok=True)
    found.aws.calls.clear()
    yield found
    found.aws.spoil = lambda _: None


def collect_first(kept: Kept, request: pytest.FixtureRequest) -> Cloud:
    """Make what is kept, in an AWS that is emptied before."""
    aws: LocalAws = request.getfixturevalue("ministack")
    accounts = (OWN, *CREATED)
    estate = make(
        aws, accounts, request.getfixturevalue("shared"), standing(aws), regions=(REGION,)
    )
    cloud = Cloud(estate, ",".join(accounts), STANDING)
    estate.send(0, BEFORE)
    typed: Type = request.getfixturevalue("typed")
    report_of(typed(*cloud.words()))
    shutil.copytree(request.getfixturevalue("tmp_path"), kept.folder, dirs_exist_ok=True)
    estate.send(BEFORE, BEFORE + LAST_DAY)
    kept.cloud, kept.times_emptied = cloud, aws.times_emptied
    return cloud


def test_a_day_later_only_what_is_missing_is_asked_for(
    collected: Cloud, typed: Type, tmp_path: Path
) -> None:
    estate, starts = collected.estate, dict[str, int]()

    def note(asked: Asked) -> None:
        if asked.operation == "GetMetricData":
            request = json.loads(asked.body)
            for query in request["MetricDataQueries"]:
                metric = query["MetricStat"]["Metric"]
                name = f"{metric['MetricName']} {metric['Dimensions'][0]['Value']}"
                starts[name] = min(starts.get(name, 1 << 62), int(request["StartTime"]))

    collected.aws.spoil = note
    report_of(typed(*collected.words()))

    check(collected, tmp_path, BEFORE + LAST_DAY)
    # The newest stored slot is the last of the first 31 hours; three hours before it overlap.
    newest = estate.end.timestamp() - LAST_DAY * 300
    known = {
        f"{one.metric.name} {next(iter(one.metric.dimensions.values()))}" for one in estate.series
    }
    assert {starts[name] - (newest - 3 * 3600) for name in known} <= {-300.0, 0.0}
    # One for what has samples and one for what has none, of instances in three accounts, and of
    # volumes, functions and databases in one; and one for the root volumes of the two others.
    assert collected.aws.calls.count(("cloudwatch", "GetMetricData")) == 2 * (3 + 3) + 2
    assert report_of(typed(*collected.words()))["tilesWritten"] == 0
    check(collected, tmp_path, BEFORE + LAST_DAY)


def test_a_throttled_account_is_waited_for_and_a_failing_one_stops_no_other(
    collected: Cloud, typed: Type, tmp_path: Path
) -> None:
    throttled, failing = CREATED
    times: list[Asked] = []

    def spoil(asked: Asked) -> str | None:
        if asked.operation == "AssumeRole" and failing.encode() in asked.body:
            return "AccessDenied"
        if (asked.account_id, asked.operation) == (throttled, "GetMetricData"):
            times.append(asked)
            return "ThrottlingException" if len(times) == 1 else None
        return None

    collected.aws.spoil = spoil
    report = report_of(typed(*collected.words()), 6)

    assert {one["accountId"] for one in report["failures"]} == {failing}
    assert len(times) > 1
    found = stored(tmp_path, collected.estate.window)
    whole = collected.estate.expected(BEFORE + LAST_DAY, failing)
    before = collected.estate.expected(BEFORE)
    # Of the failing one there is what there was.
    assert found == {key: {whole.get(key, row)} for key, row in before.items()}
    collected.aws.spoil = lambda _: None
    report_of(typed(*collected.words()))
    check(collected, tmp_path, BEFORE + LAST_DAY)


def test_connections_that_end_without_an_answer_are_made_again(
    collected: Cloud, typed: Type, tmp_path: Path
) -> None:
    dropped: set[str] = set()

    def spoil(asked: Asked) -> str | None:
        if asked.operation in dropped:
            return None
        dropped.add(asked.operation)
        return DROPPED

    collected.aws.spoil = spoil
    report_of(typed(*collected.words()))

    assert "GetMetricData" in dropped
    check(collected, tmp_path, BEFORE + LAST_DAY)


def garbling(services: frozenset[str]) -> Callable[[Asked], str | None]:
    return lambda asked: GARBLED if asked.service in services else None


def test_garbled_answers_are_told_and_lose_nothing(
    collected: Cloud, typed: Type, tmp_path: Path
) -> None:
    # Samples only, then everything but what says who somebody is.
    for spoiled in (SAMPLES, ALL):
        collected.aws.spoil = garbling(spoiled)
        report = report_of(typed(*collected.words()), 6)

        assert {one["accountId"] for one in report["failures"]} == set(collected.estate.accounts)
        assert report["gone"] == 0
        check(collected, tmp_path, BEFORE)


def test_an_account_that_vanished_is_read_no_more_and_keeps_what_it_had(
    aws: LocalAws, shared: Path, typed: Type, tmp_path: Path
) -> None:
    estate = make(aws, organized(aws), shared, (), (REGION,))
    cloud = Cloud(estate, "all", "Ec2Instance")
    report_of(typed(*cloud.words()))
    *others, vanished = cloud.estate.accounts
    aws.client("organizations").close_account(AccountId=vanished)

    report = report_of(typed(*cloud.words()))

    assert sorted(report["accounts"]) == sorted(others)
    url = f"sqlite:///{tmp_path / 'state.db'}"
    with closing(State(url)) as state, state.reading() as connection:
        arns = [one.arn for one in inventory.placements(connection)]
    assert {arn.split(":")[4] for arn in arns} == {*others, vanished}


def run_killed(cloud: Cloud, data: Path, left: int, pause: float) -> bool:
    """Collect in a process that is killed a moment after a call for samples; say whether it was."""
    calls, killed = count(), Event()

    def kill(asked: Asked) -> None:
        if asked.operation == "GetMetricData" and next(calls) == left:
            sleep(pause)
            process.kill()
            killed.set()

    cloud.aws.spoil = kill
    where = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
    words = (*cloud.words(), "--data-dir", str(data))
    process = forked(Path(os.devnull), *words, variables=where)
    code = ended(process, SECONDS)
    cloud.aws.spoil = lambda _: None
    assert code == (-signal.SIGKILL if killed.is_set() else 0)
    return killed.is_set()


def test_a_collector_that_is_killed_loses_nothing(
    collected: Cloud, typed: Type, tmp_path: Path
) -> None:
    random = Random(SEED)
    before, after = (collected.estate.expected(slots) for slots in (BEFORE, BEFORE + LAST_DAY))
    # Each run goes on where the one before was killed.
    for _ in range(KILLS):
        assert run_killed(collected, tmp_path, random.randrange(4), random.uniform(0.0, 0.1))
        found = stored(tmp_path, collected.estate.window)
        assert found.keys() == before.keys()
        for key, rows in found.items():
            # All statistics of a shard become visible at once.
            assert rows in ({before[key]}, {after[key]})

    report_of(typed(*collected.words()))
    check(collected, tmp_path, BEFORE + LAST_DAY)
