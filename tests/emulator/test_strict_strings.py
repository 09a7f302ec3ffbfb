"""Values of enums that notice a comparison with a spelling that is never sent."""

import copy
import json
import pickle
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import boto3
import jmespath
import pytest
import yaml
from botocore import handlers

from compute_optimizer.emulator.environment import environment_of
from compute_optimizer.emulator.handles import Emulator
from compute_optimizer.emulator.running import emulator
from compute_optimizer.emulator.strict_strings import Comparisons, EnumText, watching
from tests.calling import ACCOUNT, AFTER_LAST_DAY, analyze_fleet

SENT = "OVER_PROVISIONED"


@pytest.fixture
def noted() -> Comparisons:
    return Comparisons()


@pytest.fixture
def finding(noted: Comparisons) -> Any:
    return EnumText(SENT, noted)


def told(noted: Comparisons) -> list[tuple[str, str]]:
    return [(one.sent, one.compared_with) for one in noted.found()]


@pytest.mark.parametrize(
    "other", ["Overprovisioned", "OverProvisioned", "OVERPROVISIONED", "over-provisioned"]
)
def test_notes_a_comparison_in_another_spelling(
    finding: Any, noted: Comparisons, other: str
) -> None:
    assert (finding == other) is False
    assert (finding != other) is True
    assert (other == finding) is False

    assert told(noted) == [(SENT, other)] * 3  # of three lines
    assert {one.file for one in noted.found()} == {__file__}
    first, second, third = (one.line for one in noted.found())
    assert (second, third) == (first + 1, first + 2)


@pytest.mark.parametrize("other", [SENT, "Underprovisioned", "", None, 4, b"Overprovisioned"])
def test_any_other_comparison_is_right(finding: Any, noted: Comparisons, other: Any) -> None:
    assert (finding == other) is (other == SENT)
    assert (finding != other) is (other != SENT)
    assert told(noted) == []


def test_a_function_that_knows_both_spellings_is_right(finding: Any, noted: Comparisons) -> None:
    assert finding in ("Overprovisioned", SENT)
    assert told(noted) == []


def test_an_earlier_right_comparison_forgives_nothing(finding: Any, noted: Comparisons) -> None:
    assert finding == SENT
    assert finding != "Overprovisioned"
    assert told(noted) == [(SENT, "Overprovisioned")]


def test_another_functions_right_comparison_forgives_nothing(
    finding: Any, noted: Comparisons
) -> None:
    def wrong() -> bool:
        return bool(finding == "Overprovisioned")

    assert not wrong()
    assert finding == SENT
    assert told(noted) == [(SENT, "Overprovisioned")]


def test_tells_the_same_place_once(finding: Any, noted: Comparisons) -> None:
    for _ in range(3):
        assert finding != "Overprovisioned"

    assert len(noted.found()) == 1


def test_notes_a_match_statement(finding: Any, noted: Comparisons) -> None:
    match finding:
        case "Overprovisioned":
            pytest.fail("is never sent")
        case _:
            pass

    assert told(noted) == [(SENT, "Overprovisioned")]


def test_a_package_that_compares_stands_for_its_caller(finding: Any, noted: Comparisons) -> None:
    found = jmespath.search("[?finding=='Overprovisioned']", [{"finding": finding}])

    assert found == []
    assert [one.file for one in noted.found()] == [__file__]


def test_is_a_str_in_everything_else(finding: Any, noted: Comparisons) -> None:
    assert isinstance(finding, str)
    assert hash(finding) == hash(SENT)
    assert {SENT: 1}[finding] == 1
    assert type(str(finding)) is str
    assert f"{finding:>20}" == SENT.rjust(20)
    assert json.loads(json.dumps({"finding": finding})) == {"finding": SENT}
    assert sorted([finding, "A"]) == ["A", SENT]
    assert told(noted) == []


def test_copies_are_plain(finding: Any) -> None:
    for made in (pickle.loads(pickle.dumps(finding)), copy.copy(finding), copy.deepcopy(finding)):
        assert type(made) is str
        assert made == SENT


def test_yaml_writes_it(finding: Any, noted: Comparisons) -> None:
    with watching("http://127.0.0.1:1", noted):
        assert yaml.safe_dump({"finding": finding}) == f"finding: {SENT}\n"


# In boto3's answers


@pytest.fixture
def running(monkeypatch: pytest.MonkeyPatch) -> Iterator[Emulator]:
    with emulator(clock=AFTER_LAST_DAY, frozen=True, strict=True) as one:
        for name, value in environment_of(one.url, ACCOUNT).items():
            monkeypatch.setenv(name, value)
        yield one
        one.strict.dismiss()


def compared(running: Emulator) -> list[tuple[str, str]]:
    return told(running.strict.comparisons)


def test_answers_of_a_strict_emulator_notice(running: Emulator) -> None:
    analyze_fleet(running, 1)
    client = boto3.Session().client("compute-optimizer")
    (found,) = client.get_ec2_instance_recommendations()["instanceRecommendations"]

    assert found["finding"] == SENT
    assert found["finding"] != "Overprovisioned"
    assert found["utilizationMetrics"][0]["name"] != "Cpu"
    assert found["recommendationOptions"][0]["migrationEffort"] != "very low"
    assert compared(running) == [
        (SENT, "Overprovisioned"),
        ("CPU", "Cpu"),
        ("VeryLow", "very low"),
    ]


def test_texts_that_are_no_enums_stay_as_they_are(running: Emulator) -> None:
    analyze_fleet(running, 1)
    client = boto3.Session().client("compute-optimizer")
    (found,) = client.get_ec2_instance_recommendations()["instanceRecommendations"]

    assert type(found["instanceArn"]) is str
    assert type(found["currentInstanceType"]) is str


def test_the_default_session_that_was_there_before_notices(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    boto3.setup_default_session(region_name="us-east-1")
    with emulator(strict=True) as running:
        client = boto3.client(
            "compute-optimizer",
            endpoint_url=running.url,
            aws_access_key_id=ACCOUNT,
            aws_secret_access_key="any",
        )
        assert client.get_enrollment_status()["status"] != "INACTIVE"
        assert compared(running) == [("Inactive", "INACTIVE")]
        running.strict.dismiss()


def test_each_emulator_notes_its_own(running: Emulator) -> None:
    with emulator(strict=True) as other:
        client = boto3.Session().client("compute-optimizer", endpoint_url=other.url)
        assert client.get_enrollment_status()["status"] != "INACTIVE"

        assert compared(other) == [("Inactive", "INACTIVE")]
        assert compared(running) == []
        other.strict.dismiss()


def test_errors_and_lenient_emulators_answer_plain_strings() -> None:
    with emulator() as running:
        client = boto3.Session(region_name="us-east-1").client(
            "compute-optimizer",
            endpoint_url=running.url,
            aws_access_key_id=ACCOUNT,
            aws_secret_access_key="any",
        )
        assert type(client.get_enrollment_status()["status"]) is str


def test_nothing_of_it_stays_in_botocore() -> None:
    before = list(handlers.BUILTIN_HANDLERS)
    with emulator(strict=True):
        assert len(handlers.BUILTIN_HANDLERS) == len(before) + 1

    assert before == handlers.BUILTIN_HANDLERS


def test_answers_without_a_response_are_passed_by(noted: Comparisons) -> None:
    with watching("http://127.0.0.1:1", noted):
        _, noticed = handlers.BUILTIN_HANDLERS[-1]
        parsed = {"status": "Active"}
        noticed(http_response=None, parsed=parsed)
        noticed(http_response=SimpleNamespace(url="http://127.0.0.1:2/"), parsed=parsed)

    assert type(parsed["status"]) is str
