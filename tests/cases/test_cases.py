"""Every case file, one test per resource in it."""

from pathlib import Path

import pytest

from tests.cases.language import Case, read_cases

CASES = [
    case for path in sorted(Path(__file__).parent.rglob("*.case")) for case in read_cases(path)
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_case(case: Case) -> None:
    assert case.expectations
    for words in case.expectations:
        case.check(words)


def test_there_are_cases() -> None:
    assert len(CASES) > 20
