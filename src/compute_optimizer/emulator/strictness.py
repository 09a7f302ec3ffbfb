"""Whether an emulator is strict, and what a test is told that calls it wrongly."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from compute_optimizer.emulator.calls import Calls, RecordedCall
from compute_optimizer.emulator.strict import RULES, Violation, found
from compute_optimizer.emulator.strict_strings import Comparisons

CALLS_SHOWN = 30
"""Calls in a message: the first ones, beside those that are wrong."""


@dataclass(slots=True)
class Strictness:
    """The rules of an emulator and what they are held against."""

    rules: frozenset[str]
    """Those of `strict.RULES` that a test fails by."""
    calls: Calls
    page: int
    """Entries on a page of a request that does not say how many."""
    comparisons: Comparisons = field(default_factory=Comparisons)
    dismissed: bool = False
    """Whether nothing more is told of, because it was."""

    def violations(self, rules: frozenset[str] = frozenset(RULES)) -> list[Violation]:
        """Return what is legal but wrong up to now, by all rules or some."""
        wrong = [*found(list(self.calls)), *self.comparisons.violations()]
        return [one for one in wrong if one.rule in rules]

    def check(self) -> None:
        """Raise AssertionError, which says what to do, where a rule is broken; once."""
        if report := self.report():
            raise AssertionError(report)

    def report(self) -> str:
        """Return what is wrong by the rules and what to do, once; empty where all is right."""
        wrong = [] if self.dismissed else self.violations(self.rules)
        self.dismissed = self.dismissed or bool(wrong)
        return _report(wrong, list(self.calls)) if wrong else ""

    def dismiss(self) -> None:
        """Tell of nothing more."""
        self.dismissed = True


def _report(wrong: Sequence[Violation], calls: Sequence[RecordedCall]) -> str:
    named = {number for one in wrong for number in one.calls}
    shown = [one for place, one in enumerate(calls) if place < CALLS_SHOWN or one.number in named]
    left_out = len(calls) - len(shown)
    lines = ["What the program did is legal, but wrong:"]
    lines += [f"  - {one}" for one in wrong]
    lines += ["Its calls:", *(f"  {one}" for one in shown)]
    lines += [f"  and {left_out} more"] if left_out else []
    return "\n".join(lines)
