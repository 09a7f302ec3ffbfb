"""The plugin in a run of pytest of its own."""

import pytest

PLUGIN = ("-p", "compute_optimizer.emulator.pytest_plugin", "-p", "no:cacheprovider")

PROGRAM = """
import boto3
import pytest
from tests.calling import AFTER_LAST_DAY, analyze_fleet

OPTIONS = {"clock": AFTER_LAST_DAY, "frozen": True}

def wasted(server):
    analyze_fleet(server, 3, server.account_id)
    client = boto3.client("compute-optimizer")
    found = client.get_ec2_instance_recommendations()["instanceRecommendations"]
    return sum(one["finding"] == "Overprovisioned" for one in found)
"""

PASSES = """
@pytest.mark.compute_optimizer(**OPTIONS%s)
def test_program(compute_optimizer):
    assert wasted(compute_optimizer) == 0
"""


def run(pytester: pytest.Pytester, test: str, *options: str) -> pytest.RunResult:
    pytester.makepyfile(test_program=PROGRAM + test)
    return pytester.runpytest_inprocess(*PLUGIN, *options)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    # The plugin is named above, so that it is there where no distribution is installed.
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")


def test_a_strict_test_itself_fails_and_is_told_what_to_do(pytester: pytest.Pytester) -> None:
    result = run(pytester, PASSES % ", strict=True")

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "What the program did is legal, but wrong:",
            "  - call 1, GetEC2InstanceRecommendations: the first page was taken for all: ask on *",
            "  - *test_program.py:11: 'OVER_PROVISIONED' was compared with 'Overprovisioned', "
            "which is never sent: compare with what the service sends.",
            "Its calls:",
            "  1. GetEC2InstanceRecommendations by 123456789012 -> ok",
        ]
    )


def test_a_lenient_test_passes(pytester: pytest.Pytester) -> None:
    run(pytester, PASSES % "").assert_outcomes(passed=1)


def test_an_ini_option_makes_every_test_strict_but_where_its_marker_says_no(
    pytester: pytest.Pytester,
) -> None:
    lenient = PASSES.replace("test_program", "test_lenient") % ", strict=False"
    result = run(pytester, PASSES % "" + lenient, "-o", "compute_optimizer_strict=true")

    result.assert_outcomes(passed=1, failed=1)


def test_a_test_that_fails_by_itself_is_told_nothing_more(pytester: pytest.Pytester) -> None:
    result = run(pytester, (PASSES % ", strict=True").replace("== 0", "== 3"))

    result.assert_outcomes(failed=1)
    result.stdout.no_fnmatch_line("*legal, but wrong*")


def test_a_fixture_of_the_test_may_have_asked_for_it(pytester: pytest.Pytester) -> None:
    through = """
@pytest.fixture
def program(request):
    return wasted(request.getfixturevalue("compute_optimizer"))

@pytest.mark.compute_optimizer(**OPTIONS, strict=["first-page"])
def test_program(program):
    assert program == 0
"""
    result = run(pytester, through)

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*the first page was taken for all*"])
    result.stdout.no_fnmatch_line("*was compared with*")
