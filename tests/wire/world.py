"""The demo's organization in this process: analyzed, exported, asked through the codec of JSON.

What a test asks passes the same gates as over HTTP but for the signature: botocore writes the
request, the service model checks it, the operation answers, and botocore reads the answer.
"""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

from botocore.parsers import create_parser
from botocore.serialize import create_serializer

from compute_optimizer.api.protocols import JSON
from compute_optimizer.app import opened
from compute_optimizer.cli.output import settings_for
from compute_optimizer.jobs.enroll import advance_enrollments
from compute_optimizer.jobs.export import Exporter, run_exports
from compute_optimizer.operations import OPERATIONS
from compute_optimizer.operations.context import Context
from compute_optimizer.operations.exports import selection_of
from compute_optimizer.scenario.organization import MANAGEMENT_ACCOUNT_ID, MEMBER_ACCOUNT_IDS
from compute_optimizer.shapes import ServiceException
from compute_optimizer.sinks import FolderSink
from compute_optimizer.store import State
from compute_optimizer.store.tiles import TileStore
from tests.demos import PREPARED_AT
from tests.records import REGION, FixedClock
from tests.wire.strategies import operation_model

NOON = PREPARED_AT.replace(hour=12, minute=0)
"""Of the day on which the demo was prepared."""

SHOP = MEMBER_ACCOUNT_IDS[0]
BUCKET = "exports"

_SERIALIZER = create_serializer("json", include_validation=False)
_PARSER = create_parser("json")


@dataclass(frozen=True, slots=True)
class Refused:
    """An error that an operation answered with."""

    code: str
    message: str


Told = dict[str, Any] | Refused
"""What an operation answered, as botocore reads it."""


@dataclass(frozen=True)
class World:
    """The analyzed demo, and the management account that asks."""

    folder: Path
    state: State
    clock: FixedClock
    enum_style: str = "wire"

    @property
    def sink(self) -> FolderSink:
        return FolderSink(self.folder / "exports")

    def ask(self, operation: str, request: Mapping[str, Any], account: str = "") -> Told:
        """Ask what a client would ask, by default as the management account."""
        caller = account or MANAGEMENT_ACCOUNT_ID
        context = Context(
            caller,
            REGION,
            "request-1",
            f"arn:aws:iam::{caller}:user/test",
            self.state,
            self.clock,
            TileStore(self.folder / "tiles"),
            enum_style=self.enum_style,
            sink=self.sink,
        )
        model = operation_model("compute-optimizer", operation)
        sent = _SERIALIZER.serialize_to_request(dict(request), model)
        try:
            answer = OPERATIONS[operation](context, JSON.decode(sent["body"], operation))
        except ServiceException as error:
            return Refused(error.code, error.message)
        response = {"status_code": 200, "headers": {}, "body": JSON.encode(answer, operation)}
        parsed: dict[str, Any] = _PARSER.parse(response, model.output_shape)
        del parsed["ResponseMetadata"]
        return parsed

    def answer(self, operation: str, request: Mapping[str, Any], account: str = "") -> Any:
        """Ask what must be answered."""
        told = self.ask(operation, request, account)
        assert isinstance(told, dict), told
        return told

    def exported(self, operation: str, request: Mapping[str, Any]) -> Any:
        """Request an export, write it, and return its place and its text; or the refusal."""
        told = self.ask(operation, request)
        if isinstance(told, Refused):
            return told
        exporter = Exporter(self.state, self.clock, self.sink, selection_of)
        assert [one.failure_reason for one in run_exports(exporter)] == [None]
        place = told["s3Destination"]
        text = (self.sink.root / place["bucket"] / place["key"]).read_text()
        return place["bucket"], place["key"].partition("compute-optimizer/")[0], text

    def settle(self) -> None:
        """Let enrollments that are Pending be decided."""
        advance_enrollments(self.state, self.clock)

    @contextmanager
    def copied(self) -> Iterator["World"]:
        """Give a world whose state may change: it is thrown away."""
        path = self.folder / f"copy-{next(_COPIES)}.db"
        shutil.copyfile(self.folder / "template.db", path)
        state = State(f"sqlite:///{path}")
        try:
            yield replace(self, state=state)
        finally:
            state.close()
            path.unlink()


_COPIES = count()


@contextmanager
def analyzed_world(folder: Path) -> Iterator[World]:
    """Give the world of a demo that was prepared, with preferences and exports."""
    settings, clock = settings_for(folder, auth="off"), FixedClock(NOON)
    with opened(settings, clock) as application:
        world = World(folder, application.state, clock)
        _prefer(world)
        for operation in ("ExportEBSVolumeRecommendations", "ExportEC2InstanceRecommendations"):
            world.exported(operation, {"s3DestinationConfig": {"bucket": BUCKET}})
            clock.advance(timedelta(seconds=1))
    # Closed, so that the one file is the whole database.
    shutil.copyfile(folder / "state.db", folder / "template.db")
    with opened(settings, clock) as application:
        yield replace(world, state=application.state)


def _prefer(world: World) -> None:
    """State preferences at two scopes, after the analysis."""
    scopes = (
        {"name": "Organization", "value": "ALL_ACCOUNTS"},
        {"name": "AccountId", "value": MANAGEMENT_ACCOUNT_ID},
    )
    for scope in scopes:
        world.answer(
            "PutRecommendationPreferences",
            {"resourceType": "Ec2Instance", "scope": scope, "inferredWorkloadTypes": "Inactive"},
        )
