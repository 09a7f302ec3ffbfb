"""The pytest plugin, as the tests of a project meet it."""

import subprocess
import sys

import pytest

pytest_plugins = ["pytester"]

OWN = {
    "compute_optimizer",
    "compute_optimizer.emulator",
    "compute_optimizer.emulator.environment",
    "compute_optimizer.emulator.pytest_plugin",
}
"""All of this package that every run of pytest may load, where no test asks for an emulator."""


def outcomes_of(pytester: pytest.Pytester, text: str, *options: str) -> pytest.RunResult:
    pytester.makepyfile(text)
    return pytester.runpytest_inprocess("-p", "no:cacheprovider", "--strict-markers", *options)


def test_a_test_gets_a_server_and_the_environment_leads_there(pytester: pytest.Pytester) -> None:
    ended = outcomes_of(
        pytester,
        """
        import boto3


        def test_opts_in(compute_optimizer, compute_optimizer_url):
            client = boto3.client("compute-optimizer")
            assert client.meta.endpoint_url == compute_optimizer_url == compute_optimizer.url
            client.update_enrollment_status(status="Active")
            compute_optimizer.settle()
            assert client.get_enrollment_status()["status"] == "Active"


        def test_the_next_one_knows_nothing_of_that(compute_optimizer):
            client = boto3.client("compute-optimizer")
            assert client.get_enrollment_status()["status"] == "Inactive"
        """,
    )

    ended.assert_outcomes(passed=2)


def test_the_environment_is_as_before_when_the_test_is_over(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "production")
    monkeypatch.delenv("AWS_ENDPOINT_URL_COMPUTE_OPTIMIZER", raising=False)
    ended = outcomes_of(
        pytester,
        """
        import os


        def test_with(compute_optimizer):
            assert "AWS_PROFILE" not in os.environ
            assert os.environ["AWS_ACCESS_KEY_ID"] == compute_optimizer.account_id


        def test_without():
            assert os.environ["AWS_PROFILE"] == "production"
            assert "AWS_ENDPOINT_URL_COMPUTE_OPTIMIZER" not in os.environ
        """,
    )

    ended.assert_outcomes(passed=2)


def test_a_marker_says_what_an_emulator_starts_with(pytester: pytest.Pytester) -> None:
    ended = outcomes_of(
        pytester,
        """
        from datetime import datetime, timezone

        import boto3
        import pytest

        START = datetime(2026, 3, 1, tzinfo=timezone.utc)


        @pytest.mark.compute_optimizer(clock=START, frozen=True, account_id="111122223333")
        def test_pending(compute_optimizer):
            client = boto3.client("compute-optimizer")
            client.update_enrollment_status(status="Active")
            answer = client.get_enrollment_status()
            assert answer["status"] == "Pending"
            assert answer["lastUpdatedTimestamp"] == START
            assert compute_optimizer.account_id == "111122223333"
        """,
    )

    ended.assert_outcomes(passed=1)


def test_a_wrong_option_is_told_by_its_name(pytester: pytest.Pytester) -> None:
    ended = outcomes_of(
        pytester,
        """
        import pytest


        @pytest.mark.compute_optimizer(settings={"page_sise": 3})
        def test_pages(compute_optimizer):
            pass
        """,
    )

    ended.assert_outcomes(errors=1)
    ended.stdout.fnmatch_lines(["*an emulator has no setting 'page_sise' to choose; expected*"])


def test_whoever_wants_none_of_it_turns_it_off(pytester: pytest.Pytester) -> None:
    text = """
        def test_opts_in(compute_optimizer):
            pass
        """
    pytester.makepyfile(text)
    ended = pytester.runpytest_subprocess("-p", "no:compute_optimizer")

    ended.assert_outcomes(errors=1)
    ended.stdout.fnmatch_lines(["*fixture 'compute_optimizer' not found"])


def test_a_project_may_have_a_fixture_of_that_name(pytester: pytest.Pytester) -> None:
    ended = outcomes_of(
        pytester,
        """
        import pytest


        @pytest.fixture
        def compute_optimizer():
            return "its own"


        def test_own(compute_optimizer):
            assert compute_optimizer == "its own"
        """,
    )

    ended.assert_outcomes(passed=1)


def test_a_run_without_emulators_loads_next_to_nothing() -> None:
    program = (
        "import sys, pytest\n"
        "before = set(sys.modules)\n"
        "import compute_optimizer.emulator.pytest_plugin\n"
        "print(*sorted(set(sys.modules) - before))"
    )

    said = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    loaded = set(said.stdout.split())
    assert {name for name in loaded if not name.startswith("compute_optimizer")} == set()
    assert loaded == OWN
