"""Exports into a folder: whole files, or none, and nothing outside of it."""

from pathlib import Path

import pytest

from compute_optimizer.errors import InvalidInput, NotFound
from compute_optimizer.sinks import FolderSink

KEY = "team-a/compute-optimizer/111111111111/file.csv"


def files_in(folder: Path) -> list[str]:
    return [path.name for path in folder.rglob("*") if path.is_file()]


def test_a_file_appears_whole_when_the_block_ends(tmp_path: Path) -> None:
    sink = FolderSink(tmp_path)

    with sink.writing("exports", KEY, "us-east-1", "text/csv") as file:
        file.write(b"a,b\n")
        assert not (tmp_path / "exports" / KEY).exists()

    assert (tmp_path / "exports" / KEY).read_bytes() == b"a,b\n"
    assert files_in(tmp_path) == ["file.csv"]


def test_a_file_that_is_complete_is_found(tmp_path: Path) -> None:
    sink = FolderSink(tmp_path)

    with sink.writing("exports", KEY, "us-east-1", "text/csv") as file:
        file.write(b"a,b\n")
        with pytest.raises(NotFound, match="no file team-a/compute-optimizer"):
            sink.finished("exports", KEY)

    assert sink.finished("exports", KEY).read_bytes() == b"a,b\n"


@pytest.mark.parametrize("key", ["../secret", "a/../../secret", "/etc/passwd"])
def test_nothing_outside_of_the_folder_is_found(tmp_path: Path, key: str) -> None:
    (tmp_path / "secret").write_text("")

    with pytest.raises(InvalidInput, match="no path below a folder"):
        FolderSink(tmp_path / "exports").finished("bucket", key)


def test_a_failure_leaves_nothing(tmp_path: Path) -> None:
    sink = FolderSink(tmp_path)

    with (
        pytest.raises(ZeroDivisionError),
        sink.writing("exports", KEY, "us-east-1", "text/csv") as file,
    ):
        file.write(b"a,b\n")
        raise ZeroDivisionError

    assert files_in(tmp_path) == []


def test_what_a_dead_process_left_is_removed(tmp_path: Path) -> None:
    sink = FolderSink(tmp_path)
    draft = tmp_path / "exports" / f"{Path(KEY).parent}" / ".file.csv.0a1b.part"
    draft.parent.mkdir(parents=True)
    draft.write_text("half")

    other = draft.with_name(".other.csv.0a1b.part")
    other.write_text("somebody else's")

    sink.discard("exports", KEY, "us-east-1")

    assert not draft.exists()
    assert other.exists()


def test_who_comes_late_leaves_the_draft_of_who_took_over(tmp_path: Path) -> None:
    sink = FolderSink(tmp_path)

    with sink.writing("exports", KEY, "us-east-1", "text/csv") as second:
        second.write(b"a,b\n")
        with (
            pytest.raises(ZeroDivisionError),
            sink.writing("exports", KEY, "us-east-1", "text/csv") as first,
        ):
            first.write(b"a,")
            raise ZeroDivisionError

    assert (tmp_path / "exports" / KEY).read_bytes() == b"a,b\n"
    assert len(files_in(tmp_path)) == 1


@pytest.mark.parametrize(
    ("bucket", "key"),
    [
        ("..", KEY),
        ("a/b", KEY),
        ("Exports", KEY),
        ("a..b", KEY),
        ("exports", "../../etc/file.csv"),
        ("exports", "a//file.csv"),
        ("exports", "/etc/file.csv"),
        ("exports", "a\\..\\file.csv"),
        ("exports", "a\0b/file.csv"),
    ],
)
def test_no_name_leads_out_of_the_folder(tmp_path: Path, bucket: str, key: str) -> None:
    with pytest.raises(InvalidInput):
        FolderSink(tmp_path).check_place(bucket, key, "us-east-1")


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(InvalidInput, match="cannot be made"):
        FolderSink(tmp_path / "file").check_access("exports", KEY, "us-east-1", "111111111111")


@pytest.mark.parametrize("key", [f"{'a' * 256}/file.csv", "taken/file.csv"])
def test_a_path_that_no_file_can_have_is_told(tmp_path: Path, key: str) -> None:
    (tmp_path / "exports").mkdir()
    (tmp_path / "exports" / "taken").write_text("")

    with (
        pytest.raises(InvalidInput, match="cannot be written"),
        FolderSink(tmp_path).writing("exports", key, "us-east-1", "text/csv"),
    ):
        pass
