"""Tables are read batch by batch, and every row keeps its number."""

import gzip
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from compute_optimizer.errors import InvalidInput
from compute_optimizer.interfaces import no_progress
from compute_optimizer.sources.files import tables
from compute_optimizer.sources.files.refusals import Reason, Refusals
from compute_optimizer.sources.files.tables import open_table


def rows_of(path: Path, *wanted: str) -> tuple[dict[int, tuple[object, ...]], Refusals]:
    """Return the rows of a file by their number."""
    refusals = Refusals()
    found: dict[int, tuple[object, ...]] = {}
    table = open_table(path)
    for batch in table.batches(wanted or table.columns, refusals, no_progress):
        columns = (column.to_pylist() for column in batch.columns.values())
        found |= dict(zip(batch.rows.tolist(), zip(*columns, strict=True), strict=True))
    return found, refusals


def written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    "content",
    [
        b"a,b\n1,2\n3,\n",
        b"a,b\r\n1,2\r\n3,\r\n",
        b"\xef\xbb\xbfa,b\n1,2\n3,\n",
        b"a , b\n1,2\n3,",
        b'"a","b"\n"1","2"\n"3",""\n',
        b"\n\na,b\n1,2\n\n3,\n",
    ],
    ids=["plain", "crlf", "byte order mark", "blanks", "quotes", "empty lines"],
)
def test_csv_in_every_usual_dress(tmp_path: Path, content: bytes) -> None:
    found, refusals = rows_of(written(tmp_path / "t.csv", content), "a", "b")

    assert found == {1: ("1", "2"), 2: ("3", None)}
    assert refusals.total == 0


def test_only_the_wanted_columns_are_read_and_in_the_wanted_order(tmp_path: Path) -> None:
    found, _ = rows_of(written(tmp_path / "t.csv", b"a,,b,\n1,2,3,4\n"), "b", "a")

    assert found == {1: ("3", "1")}


def test_compressed_csv(tmp_path: Path) -> None:
    found, _ = rows_of(written(tmp_path / "t.CSV.gz", gzip.compress(b"a\n1\n")))

    assert found == {1: ("1",)}


def test_rows_that_do_not_fit_the_header_are_refused_and_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the parser reads the file in many blocks."""
    monkeypatch.setattr(tables, "CSV_BLOCK_BYTES", 64)
    lines = [f"{number},x" if number % 7 else f"{number}" for number in range(1, 200)]
    path = written(tmp_path / "t.csv", "\n".join(["a,b", *lines]).encode())

    found, refusals = rows_of(path)

    assert found == {number: (str(number), "x") for number in range(1, 200) if number % 7}
    assert refusals.counts == {(path, Reason.FIELDS): 28}
    first = refusals.examples[0]
    assert (first.row, first.found) == (7, "1 fields, expected 2")


def test_parquet_rows_are_counted_over_row_groups(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"a": list(range(10)), "b.c": list("abcdefghij")}), path, 3)

    found, _ = rows_of(path, "b.c", "a")

    assert found == {number + 1: ("abcdefghij"[number], number) for number in range(10)}


def test_a_header_alone_is_a_table_without_rows(tmp_path: Path) -> None:
    assert rows_of(written(tmp_path / "t.csv", b"a,b"))[0] == {}


def test_progress_ends_with_all(tmp_path: Path) -> None:
    path = written(tmp_path / "t.csv", b"a\n1\n")
    told: list[float] = []

    list(open_table(path).batches(["a"], Refusals(), lambda _, share: told.append(share)))

    assert told == sorted(told)
    assert told[-1] == 1.0


GARBAGE = bytes(range(256)) * 40

UNREADABLE = {
    "empty.csv": (b"", "the file is empty"),
    "blank.csv": (b"\n\n", "the file is empty"),
    "garbage.csv": (GARBAGE, "cannot be read: it is no UTF-8 text; write it anew as UTF-8"),
    "latin.csv": (b"a,b\n1,\xe9\n", "cannot be read"),
    "garbage.csv.gz": (GARBAGE, "cannot be read"),
    "cut.csv.gz": (gzip.compress(GARBAGE.hex().encode())[:99], "cannot be read"),
    "twice.csv": (b"a,b,a\n", "the column 'a' occurs twice; keep one"),
    "empty.parquet": (b"", "cannot be read"),
    "garbage.parquet": (GARBAGE, "cannot be read"),
    "table.xlsx": (b"a", r"expected a name ending in \.csv, .*\.parquet"),
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_files_that_cannot_be_read_are_named_with_the_cause(tmp_path: Path, name: str) -> None:
    content, message = UNREADABLE[name]
    path = written(tmp_path / name, content)

    with pytest.raises(InvalidInput, match=f"{name}: .*{message}"):
        rows_of(path)


def test_truncated_parquet(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"a": list(range(1000))}), path)
    path.write_bytes(path.read_bytes()[:-100])

    with pytest.raises(InvalidInput, match=r"t\.parquet: cannot be read"):
        rows_of(path)


def test_parquet_damaged_inside_is_named_when_it_is_reached(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"a": [f"{n:x}" for n in range(9999)]}), path, compression="gzip")
    content = bytearray(path.read_bytes())
    content[100:2000] = bytes(1900)
    path.write_bytes(content)

    with pytest.raises(InvalidInput, match=r"t\.parquet: cannot be read"):
        rows_of(path)


@pytest.mark.parametrize("name", ["missing.csv", "missing.parquet"])
def test_missing_files_are_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidInput, match=f"{name}: cannot be read: .*[Nn]o such file"):
        open_table(tmp_path / name)


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "t.csv").mkdir()

    with pytest.raises(InvalidInput, match=r"t\.csv: cannot be read: .*directory"):
        open_table(tmp_path / "t.csv")


@pytest.mark.parametrize("name", ["t.csv", "t.parquet"])
def test_files_with_too_many_rows_are_to_be_split(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(tables, "MAX_FILE_ROWS", 2)
    path = written(tmp_path / name, b"a\n1\n2\n3\n")
    if name.endswith("parquet"):
        pq.write_table(pa.table({"a": [1, 2, 3]}), path)

    with pytest.raises(InvalidInput, match="more than 2 rows; split the file"):
        rows_of(path)


@pytest.mark.parametrize("bad", [b"\xff", b"3,\xff", b"3,4,\xff", "ä,5".encode()[:1]])
def test_a_row_that_is_no_text_ends_the_file_wherever_it_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bad: bytes
) -> None:
    """With as many fields as the header or not, in the first block or a later one, and cut off."""
    monkeypatch.setattr(tables, "CSV_BLOCK_BYTES", 64)
    path = written(tmp_path / "t.csv", b"a,b\n" + b"1,2\n" * 1000 + bad)

    with pytest.raises(InvalidInput, match=r"t\.csv: cannot be read: it is no UTF-8 text"):
        rows_of(path)


def test_letters_may_lie_across_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "CSV_BLOCK_BYTES", 11)
    path = written(tmp_path / "t.csv", b"a\n" + "äöü€\n".encode() * 50)

    found, _ = rows_of(path)

    assert set(found.values()) == {("äöü€",)}
    assert len(found) == 50


def test_a_file_that_goes_while_it_is_opened_cannot_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(tmp_path / "f.csv", b"a,b\n1,2\n")
    read_header = tables._csv_header

    def read_and_lose(path: Path) -> tuple[str, ...]:
        header = read_header(path)
        path.unlink()
        return header

    monkeypatch.setattr(tables, "_csv_header", read_and_lose)

    with pytest.raises(InvalidInput, match=r"f\.csv: cannot be read: No such file"):
        open_table(path)
