"""Exports in the console: started, followed and downloaded as the operations of the API do."""

import asyncio
import csv
import html
import io
import re
from collections.abc import Iterator
from contextlib import ExitStack, nullcontext
from pathlib import Path
from typing import Any

import pytest

from compute_optimizer.app import opened
from compute_optimizer.app.exporting import exporter_of
from compute_optimizer.console import room as console_room
from compute_optimizer.console.messages import Response
from compute_optimizer.console.room import console_app
from compute_optimizer.jobs.export import run_exports
from tests.console.conftest import ACCOUNT, House, copied, housed
from tests.console.visiting import HOST, Visit, text, words

MEMBER = "222222222222"
FORM = {
    "operation": "ExportEC2InstanceRecommendations",
    "region": "us-east-1",
    "bucket": "my-exports",
}


@pytest.fixture(scope="module")
def demo(kept_demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """The fleet of the demo; its exports are written when a test says so, and not before."""
    with copied(kept_demo, tmp_path_factory, repeat=lambda *_steps: nullcontext()) as found:
        yield found


def write_files(house: House) -> None:
    """Write what is queued, as `serve` does within half a second."""
    with opened(house.settings, house.clock) as application:
        run_exports(exporter_of(application))


def links(visit: Visit) -> list[str]:
    return re.findall(r'href="(/console/exports/[^"]+)"', text(visit.get("/console/exports")))


@pytest.fixture(scope="module")
def exported(demo: House) -> Iterator[list[str]]:
    """Addresses of the files of one export that the management account started."""
    visit = demo.visit()
    visit.sign_in(ACCOUNT)
    response = visit.send("/console/exports", prefix="team/a", **FORM)
    assert (response.status, response.headers["location"]) == (303, "/console/exports")
    write_files(demo)
    yield links(visit)


def body_of(response: Response) -> bytes:
    assert response.status == 200, words(response)
    assert response.file is not None
    return response.file.read_bytes()


def test_an_export_is_started_followed_and_downloaded(
    exported: list[str], demo: House, visit: Visit
) -> None:
    page = words(visit.get("/console/exports"))
    response = visit.get(exported[0])
    rows = list(csv.DictReader(io.StringIO(body_of(response).decode())))

    assert "Complete" in page
    assert [one.rpartition("/")[2] for one in exported] == ["csv", "metadata"]
    assert {row["accountId"] for row in rows} == {ACCOUNT}
    assert response.content_type.startswith("text/csv")
    assert re.fullmatch(
        r'attachment; filename="us-east-1-[\w-]+\.csv"', response.headers["content-disposition"]
    )
    assert body_of(visit.get(exported[1])).startswith(b"{")
    assert '"operation":"ExportEC2InstanceRecommendations"' in demo.audit


def test_another_account_cannot_download_the_file(exported: list[str], demo: House) -> None:
    other = demo.visit()
    other.sign_in(MEMBER)

    assert links(other) == []
    assert other.get(exported[0]).status == 404


@pytest.mark.parametrize("end", ["parquet", "settings.yaml", "..", "key"])
def test_only_the_files_of_a_job_can_be_asked_for(
    exported: list[str], visit: Visit, end: str
) -> None:
    job = exported[0].rpartition("/")[0]

    assert visit.get(f"{job}/{end}").status == 404
    assert visit.get(f"/console/exports/00000000-0000-0000-0000-000000000000/{end}").status == 404


def test_a_file_that_was_removed_is_told(exported: list[str], demo: House, visit: Visit) -> None:
    path = visit.get(exported[0]).file
    assert path is not None
    kept = path.rename(path.with_suffix(".kept"))
    try:
        refused = visit.get(exported[0])
        assert refused.status == 404
        assert "no file team/a/compute-optimizer/111111111111/" in words(refused)
        assert exported[0] not in links(visit)
    finally:
        kept.rename(path)


def test_a_file_is_sent_in_pieces_with_its_length(
    exported: list[str], demo: House, visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(console_room, "CHUNK_BYTES", 1000)
    whole = body_of(visit.get(exported[0]))
    sent = asyncio.run(asked(demo, exported[0], visit))
    headers = dict(sent[0]["headers"])
    pieces = [one["body"] for one in sent[1:]]

    assert b"".join(pieces) == whole
    assert headers[b"content-length"] == str(len(whole)).encode()
    assert b"content-encoding" not in headers
    # Whole pieces of 1,000 bytes, the rest, and the empty one that ends the answer.
    assert len(pieces) == -(-len(whole) // 1000) + 1
    assert len(pieces) > 3


async def asked(house: House, path: str, visit: Visit) -> list[dict[str, Any]]:
    """Return the messages with which the application answers."""
    sent: list[dict[str, Any]] = []
    cookie = "; ".join(f"{name}={value}" for name, value in visit.cookies.items())
    scope = {
        "type": "http",
        "method": "GET",
        "path": path,
        "query_string": b"",
        "headers": [
            (b"host", HOST.encode()),
            (b"cookie", cookie.encode()),
            (b"accept-encoding", b"gzip"),
        ],
        "client": ("203.0.113.9", 1),
    }

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b""}

    async def send(message: Any) -> None:
        sent.append(message)

    with ExitStack() as opened:
        await console_app(house.room, opened)(scope, receive, send)
    return sent


def test_a_job_that_waits_is_followed_and_a_second_one_refused(demo: House, visit: Visit) -> None:
    form = FORM | {"operation": "ExportIdleRecommendations"}
    visit.send("/console/exports", members="yes", **form)
    page = text(visit.get("/console/exports"))

    assert "data-follow" in page
    assert "with members" in page
    again = visit.send("/console/exports", **form)
    assert again.status == 400
    assert "already in progress" in words(again)
    write_files(demo)
    assert "data-follow" not in text(visit.get("/console/exports"))


def test_a_job_that_failed_says_why(demo: House, visit: Visit) -> None:
    # A file where the bucket's folder should be.
    demo.settings.export_dir.mkdir(parents=True, exist_ok=True)
    (demo.settings.export_dir / "no-folder").write_text("")
    visit.send("/console/exports", **(FORM | {"bucket": "no-folder"}))
    write_files(demo)

    page = words(visit.get("/console/exports"))
    assert "Failed the folder" in page
    assert "no-folder cannot be made" in page


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"operation": "DeleteRecommendationPreferences"}, "is no export; expected one of Export"),
        ({"region": "../x"}, "no recommendations in the Region '../x'; expected one of eu-west-1"),
        ({"bucket": "No_Bucket"}, "The bucket name 'No_Bucket' is not valid"),
        ({"bucket": ""}, "s3DestinationConfig has no bucket"),
        ({"prefix": "../.."}, "expected a keyPrefix without empty segments"),
    ],
)
def test_what_cannot_be_exported_is_told_at_its_field_of_the_same_form(
    visit: Visit, changed: dict[str, str], said: str
) -> None:
    response = visit.send("/console/exports", **(FORM | changed | {"members": "yes"}))
    (field,) = changed

    assert response.status == 400
    problem = re.search(rf'id="{field}-problem">([^<]*)<', text(response))
    assert problem
    assert said in html.unescape(problem[1])
    assert re.search(rf'id="{field}"[^>]* aria-invalid="true"', text(response))
    # The rest is as it was entered.
    assert 'name="members" value="yes" checked' in text(response)
    kept = {"bucket": FORM["bucket"]} | changed
    assert f'placeholder="my-exports" value="{kept["bucket"]}"' in text(response)


def test_who_may_only_read_sees_no_form_and_starts_nothing(secured: House) -> None:
    secured.enroll()
    key = secured.new_key("compute-optimizer:Get*", "compute-optimizer:Describe*")
    visit = secured.visit()
    visit.post(
        "/console/sign-in",
        access_key_id=key.access_key_id,
        secret_access_key=key.secret_access_key,
    )
    page = visit.get("/console/exports")

    assert "allows no operation that exports" in words(page)
    assert 'name="bucket"' not in text(page)
    assert "None. Those that the API" in words(page)
    # Details of runs name accounts of everybody; nobody who signed in with a key sees them.
    assert "What it did" not in words(page)


def test_who_may_not_list_jobs_can_download_none(secured: House) -> None:
    secured.enroll()
    key, visit = secured.new_key("compute-optimizer:Get*"), secured.visit()
    visit.post(
        "/console/sign-in",
        access_key_id=key.access_key_id,
        secret_access_key=key.secret_access_key,
    )

    told = "Your policy does not allow DescribeRecommendationExportJobs"
    assert told in words(visit.get("/console/exports"))
    assert visit.get("/console/exports/0-0/csv").status == 403


def test_the_jobs_of_the_worker_stand_with_their_last_run(house: House) -> None:
    house.enroll()
    visit = house.visit()
    visit.sign_in(ACCOUNT)
    page = words(visit.get("/console/exports"))

    assert "analyze" in page
    assert "never ran" in page


def test_files_in_amazon_s3_are_named_and_not_served(tmp_path: Path) -> None:
    with housed(tmp_path, auth="off", export_sink="s3") as house:
        assert house.room.exported is None
