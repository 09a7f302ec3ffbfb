"""What is stored of a recommendation: its smallest records are read as they were written before."""

import pickle

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
"""As the releases before wrote them, which left nothing out."""


@pytest.mark.parametrize(("record", "stored"), STORED, ids=lambda one: type(one).__name__)
def test_what_was_stored_before_and_what_is_stored_now_are_read_alike(
    record: msgspec.Struct, stored: bytes
) -> None:
    now = msgspec.json.encode(record)

    assert len(now) <= len(stored)
    for body in (stored, now):
        assert msgspec.json.decode(body, type=type(record)) == record


@pytest.mark.parametrize("record", [one for one, _ in STORED], ids=lambda one: type(one).__name__)
def test_it_crosses_processes_and_cannot_be_changed(record: msgspec.Struct) -> None:
    assert pickle.loads(pickle.dumps(record)) == record
    with pytest.raises(AttributeError):
        setattr(record, record.__struct_fields__[0], None)
