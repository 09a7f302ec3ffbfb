"""Files with a few bytes changed are read or refused; nothing else comes of them."""

import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from hypothesis import example, given, settings
from hypothesis import strategies as st

from compute_optimizer.errors import InvalidInput
from compute_optimizer.interfaces import no_progress
from compute_optimizer.sources.files.inventory import read_inventory
from compute_optimizer.sources.files.layouts import layout_of
from compute_optimizer.sources.files.mapping import NO_MAPPING, read_mapping
from compute_optimizer.sources.files.metrics import Known, MetricReader
from compute_optimizer.sources.files.refusals import Refusals
from compute_optimizer.sources.files.tables import open_table

ACCOUNT = "111111111111"
NOW = datetime(2026, 2, 1, tzinfo=UTC)

FLEET = f'id,account,region,type,tags\ni-1,{ACCOUNT},us-east-1,m5.large,"a=b"\n'.encode() * 3
LINES = (
    f'{{"id":"i-1","account":"{ACCOUNT}","region":"us-east-1","type":"m5","tags":{{"a":"b"}}}}\n'
)
SAMPLES = (
    "resource,timestamp,metric,statistic,value\n"
    + "i-1,2026-01-31T12:00:00Z,CPUUtilization,Maximum,71.5\n" * 3
).encode()
MEANING = b"resource: vm\ncolumns:\n  load: {metric: CPUUtilization, statistic: max, scale: 0.01}\n"

TOKENS = [
    *(bytes([one]) for one in b',\n\r";=[]{}:-&*!\x00\xff'),
    *(b"nan", b"1e999", b"9" * 30, "é".encode(), b"null", b"!!python/name:os.system "),
]
CHANGES = st.lists(
    st.tuples(
        st.integers(0, 300),
        st.integers(0, 4),
        st.one_of(st.sampled_from(TOKENS), st.binary(max_size=3)),
    ),
    min_size=1,
    max_size=8,
)
Changes = list[tuple[int, int, bytes]]


def try_to_read(
    name: str, content: bytes, changes: Changes, read: Callable[[Path], object]
) -> None:
    damaged = bytearray(content)
    for place, length, token in changes:
        damaged[place : place + length] = token
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(damaged)
        try:
            read(path)
        except InvalidInput as error:
            assert str(path) in str(error)


def read_metrics(path: Path) -> object:
    table = open_table(path)
    layout = layout_of(path, table.columns, NO_MAPPING, None)
    reader = MetricReader(table, layout, Known({"i-1": 0}, {}), NOW, Refusals())
    return list(reader.samples(no_progress))


@settings(deadline=None)
@given(CHANGES)
@example([(30, 0, b"\xff"), (31, 0, b"\n")])
def test_damaged_inventories(changes: Changes) -> None:
    for name, content in (("f.csv", FLEET), ("f.jsonl", LINES.encode() * 3)):
        try_to_read(
            name, content, changes, lambda path: read_inventory(path, {ACCOUNT}, Refusals())
        )


@settings(deadline=None)
@given(CHANGES)
@example([(60, 0, b"\xff\n")])
def test_damaged_metrics(changes: Changes) -> None:
    try_to_read("m.csv", SAMPLES, changes, read_metrics)


@settings(deadline=None)
@given(CHANGES)
@example([(0, 0, b"[" * 50_000)])
def test_damaged_mappings(changes: Changes) -> None:
    try_to_read("m.yaml", MEANING, changes, read_mapping)
