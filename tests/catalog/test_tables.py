"""Data files read back as they were written."""

import gzip
import json
import re
from importlib.resources import files

from compute_optimizer.catalog.tables import dump_table, read_table


def test_the_same_table_gives_the_same_bytes() -> None:
    first = dump_table({"b": [1, None], "a": "x"}, compressed=True)
    second = dump_table({"a": "x", "b": [1, None]}, compressed=True)

    assert first == second
    assert json.loads(gzip.decompress(first)) == {"a": "x", "b": [1, None]}


def test_plain_tables_end_with_a_line_break_for_people() -> None:
    assert dump_table({"a": 1}, compressed=False) == b'{\n "a": 1\n}\n'


def test_every_data_file_is_readable_and_dated() -> None:
    folder = files("compute_optimizer.catalog") / "data"
    names = [path.name for path in folder.iterdir() if ".json" in path.name]

    assert len(names) == 11
    for name in names:
        assert re.search(r'"20\d\d-\d\d-\d\d"', json.dumps(read_table(name))), name
