"""CBOR by compiled functions: the same bytes as the walk and cbor2, or left to them."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import cbor2
import numpy as np
import pytest
from botocore.model import Shape
from msgspec import Raw

from compute_optimizer.api.protocols.cbor_body import moment_to_cbor, render_cbor
from compute_optimizer.api.protocols.cbor_output import (
    ARRAY,
    KEPT_CHARACTERS,
    KEPT_STRUCTURES,
    KEPT_TEXTS,
    MAP,
    TEXT,
    _Texts,
    cbor_writer,
    head,
)
from compute_optimizer.api.protocols.output_walk import compile_writer
from compute_optimizer.shapes.model import service_model

PAGE: Shape = service_model("compute-optimizer").shape_for("GetEC2InstanceRecommendationsResponse")
ENTRY: Shape = PAGE.members["instanceRecommendations"].member

MOMENT = datetime(2026, 3, 15, tzinfo=UTC)


class Found(StrEnum):
    LESS = "OVER_PROVISIONED"


def by_the_walk(value: Any, shape: Shape = ENTRY) -> bytes:
    return render_cbor(compile_writer(shape, moment_to_cbor, {})(value))


@pytest.mark.parametrize(
    "entry",
    [
        {},
        {"instanceArn": "arn", "finding": Found.LESS},
        # Members in another order are other bytes, as their map says.
        {"finding": "OVER_PROVISIONED", "instanceArn": "arn"},
        {"instanceName": "\u00fc\u4e16\U0001f600", "lastRefreshTimestamp": MOMENT},
        {"instanceName": "x" * 23 + "y", "instanceArn": "z" * 300, "idle": "a" * 70_000},
        {"lookBackPeriodInDays": 14, "tags": [], "findingReasonCodes": ["a", "b"]},
        {"lookBackPeriodInDays": np.float64(-1.5), "lastRefreshTimestamp": 1.25},
        {"lookBackPeriodInDays": 1.7976931348623157e308},
        {"findingReasonCodes": ["a"] * 24, "tags": [{"key": "k", "value": "v"}] * 300},
        {"recommendationOptions": [{"rank": rank} for rank in (0, 23, 24, -1, 2**31 - 1)]},
        {"recommendationOptions": ({"performanceRisk": 1.0, "rank": np.int64(3)}, {"rank": True})},
        {"externalMetricStatus": {"statusCode": "a"}, "currentInstanceGpuInfo": {"gpus": []}},
    ],
)
def test_bytes_are_those_of_the_walk(entry: dict[str, Any]) -> None:
    write = cbor_writer(ENTRY, {})
    for _ in range(2):  # compiled, and then known
        assert write(entry) == by_the_walk(entry)


@pytest.mark.parametrize("shape", service_model("compute-optimizer").operation_names)
def test_every_answer_can_be_compiled(shape: str) -> None:
    output = service_model("compute-optimizer").operation_model(shape).output_shape
    value = filled(output)
    assert cbor_writer(output, {})(value) == by_the_walk(value, output)


def filled(shape: Any) -> Any:
    """Return a value of a shape with every member."""
    if shape.type_name == "structure":
        return {name: filled(member) for name, member in shape.members.items()}
    if shape.type_name == "list":
        return [filled(shape.member)] * 2
    return {"string": "text", "double": 0.5, "boolean": True, "timestamp": MOMENT}.get(
        shape.type_name, 7
    )


@pytest.mark.parametrize(
    "entry",
    [
        {"instanceArn": None},
        {"instanceArn": 5},
        {"instanceArn": ["a"]},
        {"instanceArn": "\ud800"},
        {"lookBackPeriodInDays": float("nan")},
        {"lookBackPeriodInDays": float("inf")},
        {"lookBackPeriodInDays": "1"},
        {"lookBackPeriodInDays": 10**400},
        {"no such member": "a"},
        {"findingReasonCodes": [None]},
        {"findingReasonCodes": None},
        {"tags": [5]},
        {"tags": [Raw(b"\xa0"), {}]},
        {"recommendationOptions": [{"rank": 1.5}]},
        {"lastRefreshTimestamp": MOMENT.replace(tzinfo=None)},
        ["instanceArn"],
        5,
    ],
)
def test_what_it_does_not_take_is_left_to_the_walk(entry: Any) -> None:
    assert cbor_writer(ENTRY, {})(entry) is None


def test_entries_that_are_written_stand_as_they_are() -> None:
    entries = [{"instanceArn": "a"}, {"instanceArn": "b"}]
    raw = [Raw(by_the_walk(entry)) for entry in entries]
    errors = [{"identifier": "c"}]
    expected = by_the_walk({"instanceRecommendations": entries, "errors": errors}, PAGE)
    assert cbor_writer(PAGE, {})({"instanceRecommendations": raw, "errors": errors}) == expected
    # The walk knows them, too.
    assert by_the_walk({"instanceRecommendations": raw, "errors": errors}, PAGE) == expected


def test_a_structure_that_many_share_is_told_from_an_equal_place_in_memory() -> None:
    write = cbor_writer(ENTRY, {})
    # Each is let go at once, so that the next would lie in its place if it were not held.
    for number in range(3 * KEPT_STRUCTURES):
        entry = {"externalMetricStatus": {"statusReason": str(number)}}
        assert write(entry) == by_the_walk(entry)


def test_texts_are_kept_if_they_are_short_and_no_more_than_so_many() -> None:
    texts = _Texts()
    assert texts["a" * (KEPT_CHARACTERS + 1)][-1:] == b"a"
    assert not texts
    for number in range(KEPT_TEXTS + 1):
        assert texts[str(number)] == cbor2.dumps(str(number))
    assert list(texts) == [str(KEPT_TEXTS)]


@pytest.mark.parametrize("length", [0, 23, 24, 255, 256, 65_535, 65_536])
def test_heads_say_the_length(length: int) -> None:
    assert head(TEXT, length) + b"a" * length == cbor2.dumps("a" * length)
    assert head(ARRAY, length) + b"\0" * length == cbor2.dumps([0] * length)
    assert len(head(MAP, length)) == len(head(TEXT, length))


def test_a_length_beyond_four_bytes_is_refused() -> None:
    with pytest.raises(ValueError, match="4294967296"):
        head(TEXT, 2**32)
