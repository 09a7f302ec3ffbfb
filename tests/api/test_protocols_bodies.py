"""Bytes to trees: strict JSON, strict CBOR, and limits that hold against hostile bodies."""

import json
import time
from datetime import UTC, datetime
from typing import Any

import cbor2
import pytest

from compute_optimizer.api.errors import RequestRefused
from compute_optimizer.api.protocols.cbor_body import parse_cbor, render_cbor
from compute_optimizer.api.protocols.input_walk import MAX_DEPTH
from compute_optimizer.api.protocols.json_body import parse_json, render_json

MEBIBYTE = 2**20
"""A quarter of the largest body that the front door takes by default."""

LINEAR_SECONDS = 5.0
"""Far above what a MiB costs when each byte is looked at once (under 0.5 s on a slow core), far
below what it costs when the rest is looked at from each byte (hours)."""


def nested_lists(depth: int) -> Any:
    tree: Any = 1
    for _ in range(depth):
        tree = [tree]
    return tree


def nested_in_turn(depth: int) -> Any:
    tree: Any = 1
    for level in range(depth):
        tree = [tree] if level % 2 else {"x": tree}
    return tree


def refused(parse: Any, body: bytes) -> str:
    with pytest.raises(RequestRefused) as error:
        parse(body)
    assert (error.value.code, error.value.status) == ("SerializationException", 400)
    return error.value.message


def test_an_empty_body_is_an_empty_structure() -> None:
    assert parse_json(b"") == {}
    assert parse_cbor(b"") == {}


@pytest.mark.parametrize("nested", [nested_lists, nested_in_turn])
def test_nesting_up_to_the_limit_and_no_further(nested: Any) -> None:
    deepest = nested(MAX_DEPTH)
    assert parse_json(json.dumps(deepest).encode()) == deepest
    assert parse_cbor(cbor2.dumps(deepest)) == deepest

    assert "32" in refused(parse_json, json.dumps(nested(MAX_DEPTH + 1)).encode())
    assert "32" in refused(parse_cbor, cbor2.dumps(nested(MAX_DEPTH + 1)))


def test_many_shallow_structures_are_no_deep_one() -> None:
    tree: Any = {"x": [{"y": []} for _ in range(10 * MAX_DEPTH)]}

    assert parse_json(json.dumps(tree).encode()) == tree
    assert parse_cbor(cbor2.dumps(tree)) == tree


def test_brackets_in_strings_do_not_count_as_nesting() -> None:
    tree = {"[" * 100: ['{"' * 100, "\\" * 7 + "[" * 100], "]}\\": '"'}

    assert parse_json(json.dumps(tree).encode()) == tree


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"{}{}",
        b"{}x",
        b"{'status': 1}",
        b'{"status": }',
        b'{"status" "Active"}',
        b"[1,]",
        b'{"a": 1,}',
        b"{} // comment",
        b"[NaN]",
        b"[Infinity]",
        b"[-Infinity]",
        b"nan",
        b"[01]",
        b"[.5]",
        b"[0x10]",
        b"[True]",
        b'"half',
        b'["\x01"]',
        b'["\\x41"]',
        b'["\xff"]',
        b"\xff\xfe{\x00}\x00",
        b"\xef\xbb\xbf{}",
        b" ",
        b"[" * 33 + b'"' + b"]" * 33,
        b"[" * 40 + b"}" * 40,
        b"9" * 5000,
        cbor2.dumps({"status": "Active"}),
    ],
)
def test_what_is_not_strict_json_is_refused(body: bytes) -> None:
    assert refused(parse_json, body).startswith("The body is not valid JSON: ")


@pytest.mark.parametrize(
    "body",
    [
        b'{"status": "Active", "status": "Inactive"}',
        b'{"status": 1, "\\u0073tatus": 2}',
        b'{"x": {"a": 1, "a": 1}}',
    ],
)
def test_a_name_that_occurs_twice_in_json_is_refused(body: bytes) -> None:
    assert "a name occurs twice" in refused(parse_json, body)


@pytest.mark.parametrize(
    "body",
    [
        "a1",  # a map without its member
        "a1616101ff",  # a break after the end
        "a0a0",  # two items
        "a000",
        "ff",
        "1c",  # a reserved length
        "f800",  # a simple value in the wrong form
        "bf6161ff",  # a name without its value
        "a161ff01",  # a name that is no UTF-8
        "7f4161ff",  # bytes inside a text
        "a2616101616102",  # a name twice
        "bf616101616102ff",
        "a2616101617f6161ff02",
        "a16178a2616101616102",  # a name twice, inside an unknown member
        "a18001",  # names that are no text
        "a1a001",
        "a1f97e0001",
        "a1c10001",
        "c24101",  # tag 2: a big number
        "c349010000000000000000",  # tag 3: a negative one
        "c48221196ab3",  # tag 4: a decimal fraction
        "c074323031332d30332d32315432303a30343a30305a",  # tag 0: a moment as text
        "d81ca0",  # tags 28 and 29: shared references
        "d81c81d81d00",
        "d9d9f7a0",  # tag 55799: self-described CBOR
        "d823617e",  # tag 35: a regular expression
        "c1617a",  # tag 1 on a text
        "c1f97e00",  # tag 1 on NaN
        "c1f97c00",  # tag 1 on Infinity
        "c11bffffffffffffffff",  # tag 1 on a year that no calendar has
        "9bffffffffffffffff",  # lengths far beyond the body
        "bb7f7f7f7f7f7f7f7f",
        "5b7fffffffffffffff",
        "7b7fffffffffffffff",
        "7a3fffffff",
    ],
)
def test_what_is_not_strict_cbor_is_refused(body: str) -> None:
    assert refused(parse_cbor, bytes.fromhex(body)).startswith("The body is not valid CBOR: ")


@pytest.mark.parametrize(
    ("body", "tree"),
    [
        ("bf616101ff", {"a": 1}),  # indefinite lengths
        ("9f0102ff", [1, 2]),
        ("7f61616162ff", "ab"),
        ("5f41004101ff", b"\x00\x01"),
        ("f93c00", 1.0),  # a float of 16 bits
        ("fa3f800000", 1.0),  # of 32
        ("fb3ff0000000000000", 1.0),  # of 64
        ("1b0000000000000001", 1),  # an integer wider than it must be
        ("f6", None),
        ("c11a6553f100", datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)),
        ("c1fb41d954fc40200000", datetime(2023, 11, 14, 22, 13, 20, 500_000, tzinfo=UTC)),
    ],
)
def test_every_way_to_write_the_same_cbor_is_read(body: str, tree: Any) -> None:
    assert parse_cbor(bytes.fromhex(body)) == tree


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 33 + b'"' + b'\\"' * (MEBIBYTE // 2),  # a string without an end
        b"[" * 33 + b'"' * MEBIBYTE,
        b"[" * MEBIBYTE,
        b"[" * (MEBIBYTE // 2) + b"]" * (MEBIBYTE // 2),
        b"9" * MEBIBYTE,
    ],
    ids=["escapes", "quotes", "open", "deep", "digits"],
)
def test_the_cost_of_hostile_json_grows_no_faster_than_its_size(body: bytes) -> None:
    started = time.thread_time()
    refused(parse_json, body)
    assert time.thread_time() - started < LINEAR_SECONDS


@pytest.mark.parametrize(
    "body",
    [
        b"\x81" * MEBIBYTE,
        b"\xc1" * MEBIBYTE,
        b"\x9f" * MEBIBYTE,
        b"\xc2\x5a\x00\x10\x00\x00" + b"\xff" * MEBIBYTE,
    ],
    ids=["deep", "tags", "indefinite", "bignum"],
)
def test_the_cost_of_hostile_cbor_grows_no_faster_than_its_size(body: bytes) -> None:
    started = time.thread_time()
    refused(parse_cbor, body)
    assert time.thread_time() - started < LINEAR_SECONDS


def test_json_is_rendered_compact_and_in_utf8() -> None:
    assert render_json({"a": [1, 2.0, True], "b": "ü"}) == '{"a":[1,2.0,true],"b":"ü"}'.encode()


def test_cbor_is_rendered_with_definite_lengths_and_floats_of_64_bits() -> None:
    # a map of 1; text "a"; a list of 3; 1; the double 2.0; true
    assert render_cbor({"a": [1, 2.0, True]}).hex() == "a1616183" + "01fb4000000000000000f5"
