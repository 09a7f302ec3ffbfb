"""What is stored of a recommendation: its smallest records keep the form that they had."""

import pickle
from dataclasses import dataclass

import msgspec
import pytest

from compute_optimizer.model.recommendation import (
    MetricDimension,
    Savings,
    StoredDemand,
    UtilizationMetric,
)

DIMENSION = MetricDimension("Device", ("sda", "sdb"))
STORED = [
    (DIMENSION, b'{"key":"Device","values":["sda","sdb"]}'),
    (
        UtilizationMetric("Cpu", 1.5),
        b'{"name":"Cpu","value":1.5,"source_statistic":"Maximum","dimensions":[]}',
    ),
    (
        UtilizationMetric("Cpu", 2.0, "Average", (DIMENSION,)),
        b'{"name":"Cpu","value":2.0,"source_statistic":"Average",'
        b'"dimensions":[{"key":"Device","values":["sda","sdb"]}]}',
    ),
    (Savings(12.5, 30.25), b'{"percentage":12.5,"monthly_usd":30.25}'),
    (
        StoredDemand("CPU", 4032, 0.25, 1.5, 1.875),
        b'{"dimension":"CPU","samples":4032,"missing_share":0.25,"demand":1.5,"required":1.875}',
    ),
]
"""As frozen dataclasses were written by the releases before."""


@pytest.mark.parametrize(("record", "stored"), STORED, ids=lambda one: type(one).__name__)
def test_it_is_stored_byte_for_byte_as_before_and_read_again(
    record: msgspec.Struct, stored: bytes
) -> None:
    assert msgspec.json.encode(record) == stored
    assert msgspec.json.decode(stored, type=type(record)) == record


@pytest.mark.parametrize("record", [one for one, _ in STORED], ids=lambda one: type(one).__name__)
def test_it_crosses_processes_and_cannot_be_changed(record: msgspec.Struct) -> None:
    assert pickle.loads(pickle.dumps(record)) == record
    with pytest.raises(AttributeError):
        setattr(record, record.__struct_fields__[0], None)


def test_it_is_stored_alike_inside_a_dataclass() -> None:
    @dataclass(frozen=True, slots=True)
    class Whole:
        savings: Savings | None

    assert msgspec.json.encode(Whole(Savings(1.0, 2.0))) == (
        b'{"savings":{"percentage":1.0,"monthly_usd":2.0}}'
    )
    assert msgspec.json.encode(Whole(None)) == b'{"savings":null}'
