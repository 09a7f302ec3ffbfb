"""The control endpoint: HTTP from any language, and what boto3 sees of it."""

import asyncio
import http.client
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError, ReadTimeoutError
from botocore.parsers import ResponseParserError

from compute_optimizer.emulator.control import LARGEST_BODY_BYTES, controlled
from compute_optimizer.emulator.controls import CONTROLS, KINDS
from compute_optimizer.emulator.handles import Emulator
from compute_optimizer.emulator.running import emulator
from compute_optimizer.jobs.organization import add_accounts, set_management
from tests.calling import ACCOUNT, AFTER_LAST_DAY, OTHER, Connect, analyze_fleet
from tests.waiting import SECONDS, wait_until

INSTANCES = "GetEC2InstanceRecommendations"


@pytest.fixture
def running() -> Iterator[Emulator]:
    with emulator(clock=AFTER_LAST_DAY, frozen=True) as one:
        yield one


def asked(
    running: Emulator,
    method: str,
    path: str,
    body: Any = None,
    **headers: str,
) -> tuple[int, Any]:
    """Return the status and the JSON of an answer."""
    address = urlsplit(running.url)
    assert address.hostname is not None
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=SECONDS)
    sent = body if isinstance(body, bytes | None) else json.dumps(body).encode()
    connection.request(method, f"/_emulator/{path}", sent, headers)
    answer = connection.getresponse()
    told = answer.read()
    connection.close()
    return answer.status, json.loads(told)


def get(running: Emulator, path: str) -> Any:
    status, told = asked(running, "GET", path)
    assert status == 200, told
    return told


def post(running: Emulator, path: str, **members: Any) -> Any:
    status, told = asked(running, "POST", path, members)
    assert status == 200, told
    return told


def status_of(client: Any) -> str:
    return str(client.get_enrollment_status()["status"])


# What is there


def test_lists_its_controls(running: Emulator) -> None:
    listed = get(running, "")["controls"]

    assert [(one["method"], one["path"]) for one in listed] == [
        (one.method, f"/_emulator/{one.path}") for one in CONTROLS
    ]
    assert all(one["about"] for one in listed)


def test_tells_the_state(running: Emulator, connect: Connect) -> None:
    connect(running).update_enrollment_status(status="Active")

    assert get(running, "state") == {
        "url": running.url,
        "account": "123456789012",
        "clock": {"now": AFTER_LAST_DAY.isoformat(), "frozen": True},
        "accounts": [
            {
                "account": ACCOUNT,
                "organization": None,
                "status": "Pending",
                "status_reason": "The account is being enrolled.",
            }
        ],
    }


# The clock


def test_moves_the_clock(running: Emulator, connect: Connect) -> None:
    client = connect(running)
    client.update_enrollment_status(status="Active")
    assert status_of(client) == "Pending"

    told = post(running, "clock/advance", seconds=1, milliseconds=500)
    assert told["now"] == (AFTER_LAST_DAY + timedelta(seconds=1.5)).isoformat()
    assert status_of(client) == "Active"

    post(running, "clock/set", to="2026-04-01T00:00:00Z")
    assert running.clock.now() == datetime(2026, 4, 1, tzinfo=UTC)
    assert get(running, "clock") == {"now": "2026-04-01T00:00:00+00:00", "frozen": True}


def test_lets_the_clock_go_on_and_stand_still(running: Emulator) -> None:
    assert post(running, "clock/resume")["frozen"] is False
    assert running.clock.now() > AFTER_LAST_DAY
    assert post(running, "clock/freeze")["frozen"] is True
    assert running.clock.now() == running.clock.now()


def test_settles(running: Emulator, connect: Connect) -> None:
    client = connect(running)
    client.update_enrollment_status(status="Active")
    post(running, "settle")

    assert status_of(client) == "Active"


# Calls


def test_tells_what_was_called(running: Emulator, connect: Connect) -> None:
    client = connect(running)
    client.update_enrollment_status(status="Active")
    client.get_enrollment_status()
    with pytest.raises(ClientError):
        connect(running, OTHER).get_recommendation_summaries(maxResults=3)

    def operations(query: str) -> list[str]:
        return [one["operation"] for one in get(running, f"calls{query}")["calls"]]

    assert operations("") == running.calls.operations
    assert operations("?operation=GetEnrollmentStatus") == ["GetEnrollmentStatus"]
    assert operations(f"?account={OTHER}") == ["GetRecommendationSummaries"]
    assert operations("?error=OptInRequiredException") == ["GetRecommendationSummaries"]
    last = get(running, "calls")["calls"][-1]
    assert last["request"] == {"maxResults": 3}
    assert (last["number"], last["account"], last["attempt"]) == (3, OTHER, 1)
    assert last["moment"] == AFTER_LAST_DAY.isoformat()

    post(running, "calls/clear")
    assert operations("") == []


def test_tells_moments_inside_of_answers(running: Emulator, connect: Connect) -> None:
    connect(running).update_enrollment_status(status="Active")
    connect(running).get_enrollment_status()

    (call,) = get(running, "calls?operation=GetEnrollmentStatus")["calls"]
    assert call["answer"]["lastUpdatedTimestamp"] == AFTER_LAST_DAY.isoformat()


# Faults


@pytest.mark.parametrize(
    ("fault", "raised"),
    [
        ({"kind": "throttle", "operation": "GetEnrollmentStatus"}, ClientError),
        ({"kind": "error", "code": "InternalServerException"}, ClientError),
        ({"kind": "expired_token"}, ClientError),
        ({"kind": "slow", "seconds": 30}, ReadTimeoutError),
        ({"kind": "drop", "when": "middle"}, ConnectionClosedError),
        ({"kind": "garble", "body": "", "status": 502}, ClientError),
    ],
    ids=lambda value: value.get("kind") if isinstance(value, dict) else "",
)
def test_lets_calls_meet_faults(
    running: Emulator, connect: Connect, fault: dict[str, Any], raised: type[Exception]
) -> None:
    client = connect(running, read_timeout=0.5 if raised is ReadTimeoutError else 60)
    told = post(running, "faults", **fault, times=1)
    assert (told["number"], told["kind"], told["met"]) == (1, fault["kind"], 0)

    with pytest.raises(raised):
        client.get_enrollment_status()
    # Who waits no longer may have gone before the answer was begun.
    wait_until(lambda: [one["met"] for one in get(running, "faults")["faults"]] == [1])
    assert status_of(connect(running)) == "Inactive"


def test_cuts_answers_short(running: Emulator, connect: Connect) -> None:
    post(running, "faults", kind="truncate")
    client = connect(running)
    try:
        answer = client.get_enrollment_status()
    except ResponseParserError:
        answer = {"ResponseMetadata": {}}  # half of CBOR is none; half of JSON has no members
    assert set(answer) == {"ResponseMetadata"}


def test_lets_enrollment_stay_pending_or_fail(running: Emulator, connect: Connect) -> None:
    client = connect(running)
    post(running, "faults", kind="pending", account=ACCOUNT)
    client.update_enrollment_status(status="Active")
    post(running, "clock/advance", days=1)
    assert status_of(client) == "Pending"

    post(running, "faults", kind="failed", account=ACCOUNT)
    post(running, "faults/clear", number=1)
    post(running, "settle")
    assert status_of(client) == "Failed"


def test_lets_answers_be_partial(running: Emulator, connect: Connect) -> None:
    first, second = analyze_fleet(running, 2)
    post(running, "faults", kind="partial_errors", operation=INSTANCES, identifiers=[first])
    answer = connect(running).get_ec2_instance_recommendations()

    assert [one["instanceArn"] for one in answer["instanceRecommendations"]] == [second]
    assert [one["identifier"] for one in answer["errors"]] == [first]


def test_removes_one_fault_or_all(running: Emulator) -> None:
    for _ in range(3):
        post(running, "faults", kind="throttle")
    post(running, "faults/clear", number=2)
    assert [one["number"] for one in get(running, "faults")["faults"]] == [1, 3]

    post(running, "faults/clear")
    assert get(running, "faults") == {"faults": []}


# The rest


def test_tells_what_was_legal_but_wrong(running: Emulator, connect: Connect) -> None:
    analyze_fleet(running, 2)
    connect(running).get_ec2_instance_recommendations(maxResults=1)

    assert get(running, "violations") == {
        "violations": [
            {
                "rule": "first-page",
                "message": f"call 1, {INSTANCES}: the first page was taken for all: ask on with "
                "the nextToken of each answer until an answer has none.",
                "calls": [1],
            }
        ]
    }


def test_analyzes(running: Emulator, connect: Connect) -> None:
    analyze_fleet(running, 1)
    running.clock.advance(days=1)
    told = post(running, "analyze", as_of="2026-03-15T00:00:00Z")

    assert told["accounts"] == [ACCOUNT]
    assert told["as_of"] == "2026-03-15T00:00:00+00:00"


def test_analysis_that_cannot_be_says_why(running: Emulator) -> None:
    status, told = asked(running, "POST", "analyze")

    assert status == 409
    assert "opted in" in told["error"]


def test_takes_a_state_in_sections_and_forgets_it_at_a_reset(
    running: Emulator, connect: Connect
) -> None:
    fixed = {
        "operation": "GetEBSVolumeRecommendations",
        "recommendations": [
            {"volumeArn": f"arn:aws:ec2:us-east-1:{ACCOUNT}:volume/vol-1", "finding": "Optimized"}
        ],
    }
    instance = {"name": "web", "instance_type": "m5.2xlarge", "load": "diurnal, 20 % peak"}
    instance["account_id"] = ACCOUNT
    told = post(running, "state", instances=[instance], recommendations=[fixed])

    client = connect(running)
    (found,) = client.get_ec2_instance_recommendations()["instanceRecommendations"]
    assert [found["instanceArn"]] == told["resources"]
    assert found["finding"] == "OVER_PROVISIONED"
    assert len(client.get_ebs_volume_recommendations()["volumeRecommendations"]) == 1

    post(running, "reset")
    client.update_enrollment_status(status="Active")
    running.settle()
    assert client.get_ec2_instance_recommendations()["instanceRecommendations"] == []
    assert client.get_ebs_volume_recommendations()["volumeRecommendations"] == []


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ({"files": [{"inventory": "fleet.csv"}]}, "has no files"),
        ({"machines": []}, "machines"),
        ({"instances": [{"name": "web", "load": "odd"}]}, "odd"),
    ],
)
def test_says_what_is_wrong_with_a_state(
    running: Emulator, members: dict[str, Any], said: str
) -> None:
    status, told = asked(running, "POST", "state", members)

    assert status == 400
    assert said in told["error"]


def test_begins_again_with_nothing(running: Emulator, connect: Connect) -> None:
    state, clock = running.application.state, running.clock
    set_management(state, clock, ACCOUNT)
    add_accounts(state, clock, [OTHER], f"o-{ACCOUNT}")
    analyze_fleet(running, 2, OTHER)
    post(running, "faults", kind="failed", account=OTHER)
    post(running, "clock/resume")
    post(running, "clock/advance", days=40)

    told = post(running, "reset")
    assert told["accounts"] == []
    assert told["clock"] == {"now": AFTER_LAST_DAY.isoformat(), "frozen": True}
    assert get(running, "calls") == {"calls": []}
    assert get(running, "faults") == {"faults": []}
    assert status_of(connect(running, OTHER)) == "Inactive"

    # And it can be used as before.
    analyze_fleet(running, 1)
    answer = connect(running).get_ec2_instance_recommendations()
    assert len(answer["instanceRecommendations"]) == 1


# What is refused


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "message"),
    [
        ("GET", "nothing", None, 404, "no control 'nothing'; expected state, clock"),
        ("PUT", "clock", None, 405, "clock is asked by GET, not by PUT"),
        ("POST", "settle", b"{", 400, "the body is no JSON"),
        ("POST", "settle", b"[" * 100_000, 400, "the body is no JSON"),
        ("POST", "settle", [1], 400, "the body is no object"),
        ("POST", "settle", {"now": True}, 400, "settle knows no 'now'; expected none"),
        ("POST", "clock/advance", {"weeks": 1}, 400, "knows no 'weeks'; expected some of days"),
        ("POST", "clock/advance", {"days": "1"}, 400, "days is '1'; expected a number"),
        ("POST", "clock/advance", {"days": 1e300}, 400, "cannot move as far"),
        ("POST", "clock/advance", {"days": -1}, 400, "cannot go back"),
        ("POST", "clock/set", {}, 400, "to is None; expected a time with its zone"),
        ("POST", "clock/set", {"to": "2026-04-01"}, 400, "expected a time with its zone"),
        ("POST", "clock/set", {"to": "0001-01-01T00:00+01:00"}, 400, "lies beyond the calendar"),
        ("GET", "calls?operations=X", None, 400, "calls knows no 'operations'"),
        ("POST", "faults", {}, 400, "kind is None; expected one of error"),
        ("POST", "faults", {"kind": "odd"}, 400, "kind is 'odd'; expected one of error"),
        ("POST", "faults", {"kind": "slow"}, 400, "slow needs seconds"),
        ("POST", "faults", {"kind": "throttle", "for": 1}, 400, "throttle has no option 'for'"),
        ("POST", "faults", {"kind": "throttle", "operation": [1]}, 400, "there is no operation"),
        ("POST", "faults", {"kind": "throttle", "region": 1}, 400, "region has 1; expected text"),
        ("POST", "faults", {"kind": "error", "code": {}}, 400, "code has {}; expected text"),
        ("POST", "faults", {"kind": "garble", "body": 1}, 400, "body has 1; expected text"),
        ("POST", "faults", {"kind": "partial_errors", "operation": None}, 400, "needs identifiers"),
        ("POST", "faults/clear", {"number": 7}, 400, "there is no fault 7; there are: none"),
        ("POST", "faults/clear", {"number": "1"}, 400, "number is '1'"),
        ("POST", "analyze", {"as_of": 4}, 400, "as_of is 4; expected a time"),
        ("POST", "settle", b" " * (LARGEST_BODY_BYTES + 1), 413, "the body is larger"),
    ],
)
def test_says_what_is_wrong_with_a_request(
    running: Emulator, method: str, path: str, body: Any, status: int, message: str
) -> None:
    told = asked(running, method, path, body)

    assert told[0] == status
    assert message in told[1]["error"]


def test_options_of_every_fault_are_checked(running: Emulator) -> None:
    for kind in KINDS:
        status, told = asked(running, "POST", "faults", {"kind": kind, "odd": 1})
        assert (status, "has no option 'odd'" in told["error"]) == (400, True)


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://localhost:3000"},
        {"Origin": "null"},
        {"Host": "rebound.example:80"},
        {"Host": "192.0.2.1"},
        {"Host": "127.0.0.1.rebound.example"},
        {"Host": ""},
    ],
    ids=str,
)
def test_pages_of_a_browser_are_refused(running: Emulator, headers: dict[str, str]) -> None:
    status, told = asked(running, "POST", "faults", {"kind": "throttle"}, **headers)

    assert status == 403
    assert "error" in told
    assert len(running.faults) == 0


@pytest.mark.parametrize("host", ["localhost", "localhost:80", "127.0.0.1:80", "[::1]:80", "[::1]"])
def test_every_name_of_this_machine_alone_is_let_in(running: Emulator, host: str) -> None:
    assert asked(running, "GET", "clock", None, Host=host)[0] == 200


@pytest.mark.parametrize("client", [("203.0.113.9", 1234), ("10.0.0.2", 1), None])
def test_peers_from_elsewhere_meet_the_service_alone(
    running: Emulator, client: tuple[str, int] | None
) -> None:
    met: list[str] = []

    async def service(scope: Any, receive: Any, send: Any) -> None:
        met.append(scope["path"])

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/_emulator/reset",
        "query_string": b"",
        "headers": [(b"host", b"localhost")],
        "client": client,
    }

    async def unused(*_: Any) -> Any:
        pytest.fail("the control endpoint has answered")

    async def ask() -> None:
        await controlled(service, running)(scope, unused, unused)

    asyncio.run(ask())
    assert met == ["/_emulator/reset"]


def test_the_service_itself_is_still_there(running: Emulator, connect: Connect) -> None:
    assert status_of(connect(running)) == "Inactive"
    address = urlsplit(running.url)
    connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=SECONDS)
    connection.request("GET", "/_emulator")
    assert connection.getresponse().status == 404
    connection.close()
