"""Refusals are counted, their first places kept, and every reason is on the page."""

import re
from pathlib import Path

from compute_optimizer.sources.files.columns import INVENTORY_COLUMNS, METRIC_COLUMNS
from compute_optimizer.sources.files.mapping import FileMapping, SeriesMapping
from compute_optimizer.sources.files.refusals import EXAMPLES, Reason, Refusals
from compute_optimizer.sources.files.vocabulary import METRIC_ALIASES, METRICS

ONE, TWO = Path("one.csv"), Path("two.csv")


def test_all_are_counted_and_the_first_of_each_kind_kept() -> None:
    refusals = Refusals()
    for row in range(1, EXAMPLES + 4):
        refusals.add(ONE, row, Reason.NAN, "nan")
    refusals.add(TWO, 7, Reason.NAN, "nan")
    refusals.add(ONE, 2, Reason.FUTURE, "3000-01-01")

    assert refusals.total == EXAMPLES + 5
    assert refusals.counts[ONE, Reason.NAN] == EXAMPLES + 3
    assert [one.row for one in refusals.examples_of(ONE, Reason.NAN)] == [1, 2, 3, 4, 5]
    places = [(one.file, one.row) for one in refusals.examples]
    assert places == [(ONE, 1), (ONE, 2), (ONE, 2), (ONE, 3), (ONE, 4), (ONE, 5), (TWO, 7)]


def test_the_page_explains_every_reason_and_no_other(repository: Path) -> None:
    page = (repository / "docs" / "import.md").read_text()
    (table,) = re.findall(r"^\| reason \|.*\n\|---.*\n((?:\|.*\n)+)", page, re.MULTILINE)

    listed = [line.split("|")[1].strip() for line in table.splitlines()]

    assert listed == list(Reason)


def test_the_page_names_every_column_metric_and_key_of_a_mapping(repository: Path) -> None:
    page = (repository / "docs" / "import.md").read_text()
    words = {
        *INVENTORY_COLUMNS,
        *METRICS,
        *METRIC_ALIASES,
        *FileMapping.__struct_fields__,
        *SeriesMapping.__struct_fields__,
    }

    assert {word for word in words if f"`{word}`" not in page} == set()
    assert METRIC_COLUMNS.keys() <= set(FileMapping.__struct_fields__)
