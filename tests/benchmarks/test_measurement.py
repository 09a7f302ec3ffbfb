"""What benchmarks print is what the runner reads, and ratios are of rounds."""

import json

import pytest

from benchmarks.measurement import (
    JSON,
    Measurement,
    Report,
    document,
    figure,
    measurements_of,
    ratio_of,
    read,
    read_any,
    show,
    spread_of,
)


def test_a_spread_is_the_median_the_quartiles_and_the_extremes() -> None:
    found = spread_of([4.0, 1.0, 3.0, 2.0, 10.0])

    assert (found.median, found.quartiles, found.extremes) == (3, (2, 4), (1, 10))


def test_ratios_are_those_of_each_round() -> None:
    # The second round was half as fast for both: a ratio of medians would see no difference,
    # ratios of rounds are 2 throughout.
    ours = Measurement("ours", "1/s", (20.0, 10.0, 20.0))
    theirs = Measurement("theirs", "1/s", (10.0, 5.0, 10.0))

    assert ratio_of(ours, theirs).extremes == (2, 2)


def test_rounds_that_do_not_match_are_compared_by_their_medians() -> None:
    # 6 / 2
    assert ratio_of(Measurement("a", "s", (5, 6, 7)), Measurement("b", "s", (2,))).median == 3


def test_a_baseline_that_did_nothing_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    report = Report(measurements_of({"ours": [1.0], "theirs": [0.0]}, "1/s", of="ours"))

    with pytest.raises(SystemExit, match=r"theirs measured 0 1/s; give it more time"):
        show(report, JSON)
    assert capsys.readouterr().out == ""


def test_what_is_shown_as_json_is_read_again(capsys: pytest.CaptureFixture[str]) -> None:
    report = Report(measurements_of({"a": [1.0, 2.0], "b": [2.0, 4.0]}, "s", of="a"), {"of": "x"})

    show(report, JSON)

    found = json.loads(capsys.readouterr().out)
    assert read(found) == report == read_any(found)
    assert found["measurements"][0]["ratio_to"]["b"]["median"] == 0.5


def test_numbers_of_another_form_are_taken_by_their_path() -> None:
    found = read_any({"sizes": [{"seconds": 2, "name": "x"}], "ok": True})

    assert found.measurements == (Measurement("sizes: 0: seconds", "", (2.0,)),)
    assert document(found)["measurements"][0]["median"] == 2


@pytest.mark.parametrize(
    ("value", "text"), [(1234.5, "1,234"), (56.78, "56.8"), (5.678, "5.68"), (0.05678, "0.0568")]
)
def test_figures_have_three_digits_that_count(value: float, text: str) -> None:
    assert figure(value) == text
