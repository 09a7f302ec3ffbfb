"""`compute-optimizer conformance`, as somebody types it, between servers on real sockets."""

import json
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from compute_optimizer import cli
from compute_optimizer.views.conformance_probes import reading_operations
from tests.cli.conftest import Ended, Type
from tests.end_to_end.conftest import ACCOUNT, REGION, Served
from tests.end_to_end.published import publish
from tests.local_aws import LocalAws
from tests.ports import free_port
from tests.records import arn, recommendation

EC2 = "GetEC2InstanceRecommendations"
SECRET_NAME = "payroll-of-acme"
"""A name that nobody outside may see."""

Report = dict[str, Any]


@pytest.fixture
def checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Type:
    """Run the command with credentials of the account; no traceback may be seen."""
    for name, value in {
        "AWS_ACCESS_KEY_ID": ACCOUNT,
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": str(tmp_path / "none"),
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "none"),
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_PROFILE", raising=False)

    def run(*words: str) -> Ended:
        monkeypatch.setattr(sys, "argv", ["compute-optimizer", "conformance", *words])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        said = capsys.readouterr()
        assert "Traceback" not in said.err
        return Ended(int(ended.value.code or 0), said.out, said.err)

    return run


@pytest.fixture
def start(serve: Callable[..., Served]) -> Callable[..., Served]:
    """Start servers that have two instances with several options each."""

    def started(**settings: Any) -> Served:
        served = serve(**settings)
        named = {"account_id": ACCOUNT, "name": SECRET_NAME}
        publish(served, [recommendation(number, **named) for number in (1, 2)])
        return served

    return started


@contextmanager
def rewritten(url: str, old: bytes, new: bytes) -> Iterator[str]:
    """Serve what another server answers with some bytes of the bodies exchanged."""

    class Rewriting(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            try:
                answer: Any = urlopen(Request(url, body, dict(self.headers)))
            except HTTPError as error:
                answer = error
            with answer:
                said = answer.read().replace(old, new)
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    if name.lower() not in ("content-length", "server", "date"):
                        self.send_header(name, value)
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Rewriting) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def report(ended: Ended) -> Report:
    assert ended.out, ended.err
    found: Report = json.loads(ended.out)
    return found


def told(found: Report, request: str = "plain") -> set[tuple[str, str, str, str, bool]]:
    """Return aspect, place, both sides and whether it is known, of one request."""
    (one,) = (each for each in found["requests"] if each["request"] == request)
    return {
        (each["aspect"], each["where"], each["theirs"], each["ours"], bool(each["known"]))
        for each in one["differences"]
    }


def test_server_does_not_differ_from_itself(checked: Type, start: Callable[..., Served]) -> None:
    url = start().url

    ended = checked("--endpoint", url, "--against", url, "--output", "json")

    found = report(ended)
    assert ended.code == 0
    assert {one["operation"] for one in found["requests"]} == set(reading_operations())
    assert (found["summary"]["known"], found["summary"]["different"]) == (0, 0)
    assert found["summary"]["same"] > 150
    # Nothing to ask about: there are instances, but neither a service nor a database.
    reasons = {one["operation"] for one in found["requests"] if one["reason"]}
    assert reasons == {
        "GetECSServiceRecommendationProjectedMetrics",
        "GetRDSDatabaseRecommendationProjectedMetrics",
    }


def test_other_spelling_of_enums_is_told_and_known(
    checked: Type, start: Callable[..., Served]
) -> None:
    theirs, ours = start(enum_style="model"), start()

    ended = checked(
        *("--endpoint", ours.url, "--against", theirs.url, "--operations", EC2),
        *("--output", "json"),
    )

    assert ended.code == 0
    assert (
        "spelling",
        "instanceRecommendations[].finding",
        "as in the model: Overprovisioned",
        "spelled otherwise: OVER_PROVISIONED",
        True,
    ) in told(report(ended))


def test_other_length_of_pages_is_told_and_known(
    checked: Type, start: Callable[..., Served]
) -> None:
    theirs, ours = start(page_size=1), start()

    ended = checked(
        *("--endpoint", ours.url, "--against", theirs.url, "--operations", EC2),
        *("--output", "json"),
    )

    assert ended.code == 0
    assert told(report(ended)) == {("page length", "", "1", "at least 2", True)}
    assert told(report(ended), "pages of one") == set()


def test_table_has_what_is_new_first_and_each_difference_once(
    checked: Type, start: Callable[..., Served]
) -> None:
    ours, styled = start().url, start(enum_style="model").url
    with rewritten(styled, b'"instanceName"', b'"label"') as theirs:
        ended = checked("--endpoint", ours, "--against", theirs, "--operations", EC2)

    rows = [line for line in ended.out.splitlines() if EC2 in line]
    assert ended.code == 1
    assert "member instanceRecommendations[].instanceName" in rows[0]
    assert sum("spelling instanceRecommendations[].finding " in row for row in rows) == 1
    assert re.search(r"plain and \d+ more", rows[0])


@pytest.mark.parametrize(
    ("old", "new", "difference"),
    [
        (
            b'"rank":1',
            b'"rank":"1"',
            ("type", "instanceRecommendations[].recommendationOptions[].rank"),
        ),
        (b'"currentInstanceType"', b'"type"', ("member", "instanceRecommendations[].type")),
        (
            b'"rank":1',
            b'"rank":3',
            ("rank order", "instanceRecommendations[].recommendationOptions"),
        ),
        (b"OVER_PROVISIONED", b"TOO_LARGE", ("value", "instanceRecommendations[].finding")),
        (b'"errors":[]', b'"errors":[],"nextToken":null', ("paging", "nextToken of the last page")),
    ],
)
def test_differences_that_nobody_expected_end_with_one(
    checked: Type, start: Callable[..., Served], old: bytes, new: bytes, difference: tuple[str, str]
) -> None:
    ours = start().url
    with rewritten(ours, old, new) as theirs:
        words = ("--endpoint", ours, "--against", theirs, "--operations", EC2)
        ended = checked(*words, "--output", "json")
        shown = checked(*words)

    assert ended.code == shown.code == 1
    aspects = {(aspect, where) for aspect, where, *_, known in told(report(ended)) if not known}
    assert difference in aspects
    assert difference[1] in shown.out


def test_nothing_that_identifies_is_printed_or_saved(
    checked: Type, start: Callable[..., Served], tmp_path: Path
) -> None:
    ours, path = start().url, tmp_path / "report.json"
    with rewritten(ours, b'"instanceName"', b'"name"') as theirs:
        words = ("--endpoint", ours, "--against", theirs)
        table = checked(*words, "--save", str(path)).out
        printed = checked(*words, "--operations", EC2, "--output", "json").out

    for text in (table, printed, saved := path.read_text()):
        for private in (ACCOUNT, SECRET_NAME, arn(1, ACCOUNT), "i-00000000000000001", ours, theirs):
            assert private not in text
    # What is printed of one operation is what is saved of it.
    assert json.loads(printed)["requests"] == [
        one for one in json.loads(saved)["requests"] if one["operation"] == EC2
    ]


def test_accounts_that_are_not_opted_in_are_no_difference(
    checked: Type, start: Callable[..., Served], serve: Callable[..., Served]
) -> None:
    ended = checked(
        *("--endpoint", start().url, "--against", serve().url),
        *("--operations", f"GetEnrollmentStatus,{EC2}", "--output", "json"),
    )

    found = report(ended)
    reasons = {one["operation"]: one["reason"] for one in found["requests"]}
    assert reasons[EC2] == "theirs: the account is not opted in"
    # The other operation is compared all the same.
    assert reasons["GetEnrollmentStatus"] is None


def test_server_of_something_else_is_named(aws: LocalAws, checked: Type, served: Served) -> None:
    words = ("--endpoint", served.url, "--against", aws.url)

    # moto's server does not know the service and answers 500 with a page of HTML.
    ended = checked(*words, "--operations", "GetEnrollmentStatus")

    assert ended.code == 6
    assert "theirs: status 500 without JSON" in ended.err


def test_server_that_is_away_is_named(checked: Type, served: Served) -> None:
    nowhere = f"http://127.0.0.1:{free_port()}"

    ended = checked(
        "--endpoint", served.url, "--against", nowhere, "--operations", "GetEnrollmentStatus"
    )

    assert ended.code == 6
    assert "theirs: GetEnrollmentStatus" in ended.err


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("--endpoint", "127.0.0.1:1"), "--endpoint 127.0.0.1:1"),
        (("--endpoint", "http://127.0.0.1:1", "--operations", "PutIt"), "PutIt"),
        (("--endpoint", "http://127.0.0.1:1", "--profile", "absent"), "absent"),
    ],
)
def test_bad_input_is_named(checked: Type, words: tuple[str, ...], named: str) -> None:
    ended = checked(*words)

    assert ended.code == 2
    assert named in ended.err


def test_missing_credentials_are_named(checked: Type, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")

    ended = checked("--endpoint", "http://127.0.0.1:1")

    assert ended.code == 2
    assert "no AWS credentials for AWS" in ended.err
