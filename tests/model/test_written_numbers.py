"""Numbers are those that everybody writes, and nothing else that Python takes."""

import pytest

from compute_optimizer.model.written_numbers import number_of


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0", 0.0),
        ("12", 12.0),
        ("-1.5", -1.5),
        ("+.5", 0.5),
        ("2.", 2.0),
        ("1e3", 1000.0),
        ("2.5E-1", 0.25),
    ],
)
def test_a_number_is_what_it_says(text: str, number: float) -> None:
    assert number_of(text) == number


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "1_000",
        "1,5",
        " 1",
        "1\n",
        "\u0661",
        "nan",
        "inf",
        "1e999",
        "0x1",
        "1e",
        "e1",
        "--1",
    ],
)
def test_what_is_written_otherwise_is_no_number(text: str) -> None:
    assert number_of(text) is None
