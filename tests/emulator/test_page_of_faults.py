"""The page of the emulator tells of every fault, control and rule there is."""

import re
from pathlib import Path

from compute_optimizer.emulator.control import PREFIX
from compute_optimizer.emulator.controls import CONTROLS, KINDS, SPANS
from compute_optimizer.emulator.faults import Chosen
from compute_optimizer.emulator.strict import RULES

PAGE = (Path(__file__).parents[2] / "docs" / "emulator.md").read_text()


def section(heading: str) -> str:
    found = re.search(rf"^## {heading}\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)
    assert found is not None
    return found.group(1)


def test_has_a_row_for_every_fault() -> None:
    rows = re.findall(r"^\| `(\w+)\(", section("Faults"), re.MULTILINE)

    assert rows == list(KINDS)


def test_says_which_calls_can_be_chosen() -> None:
    for name in Chosen.__annotations__:
        assert f"`{name}=`" in section("Faults")


def test_has_a_row_for_every_rule() -> None:
    assert re.findall(r"^\| `([a-z-]+)` \|", section("Strict"), re.MULTILINE) == list(RULES)


def test_has_a_row_and_a_call_by_curl_for_every_control() -> None:
    text = section("From other languages")
    rows = [line for line in text.splitlines() if line.startswith("| `")]
    told = [one for row in rows for one in re.findall(r"`([A-Z]+ /\S+)`", row.split("|")[1])]

    assert told == [f"GET {PREFIX}", *(f"{one.method} {PREFIX}{one.path}" for one in CONTROLS)]
    calls = [line for line in text.splitlines() if line.startswith("curl ")]
    for one in CONTROLS:
        sent = r"(-X POST|-d '.*') " if one.method == "POST" else '"?'
        called = re.compile(rf"curl {sent}\$EMULATOR{PREFIX}{one.path}(\?.*)?$")
        assert any(called.match(line) for line in calls), one.path


def test_names_what_the_clock_moves_by() -> None:
    assert ", ".join(f"`{one}`" for one in SPANS) in section("From other languages")
