"""Differences that were to be expected, with the page that says why: one table."""

from collections.abc import Callable
from dataclasses import dataclass

from compute_optimizer.model.conformance import Probe


@dataclass(frozen=True, slots=True)
class Deviation:
    """A difference, as the rules look at it."""

    probe: Probe
    aspect: str
    where: str
    theirs: str
    ours: str


@dataclass(frozen=True, slots=True)
class Rule:
    """One kind of difference that is documented."""

    aspects: tuple[str, ...]
    fits: Callable[[Deviation], bool]
    why: str


def _always(_: Deviation) -> bool:
    return True


def _spelling_of_a_setting(seen: Deviation) -> bool:
    return seen.probe.operation in STYLED and seen.where.rpartition(".")[2] in STYLED_MEMBERS


def _sometimes(seen: Deviation) -> bool:
    return "sometimes" in (seen.theirs, seen.ours)


def _refused_on_both_sides(seen: Deviation) -> bool:
    """Return whether both sides refuse a value that the model does not have, by other errors."""
    return seen.probe.nonsense and "absent" not in (seen.theirs, seen.ours)


def _of_another_account(seen: Deviation) -> bool:
    return seen.probe.name == "another account"


STYLED = frozenset(
    {
        "GetAutoScalingGroupRecommendations",
        "GetEC2InstanceRecommendations",
        "GetEC2RecommendationProjectedMetrics",
        "GetRecommendationSummaries",
    }
)
STYLED_MEMBERS = frozenset({"finding", "name", "statistic"})
"""Operations, and members of their answers, whose spelling the setting `enum_style` changes."""

RULES = (
    Rule(("spelling",), _spelling_of_a_setting, "setting enum_style (docs/assumptions.md)"),
    Rule(("page length",), _always, "setting page_size (docs/assumptions.md)"),
    Rule(("message",), _always, "texts of errors are not compared word by word (docs/wire.md)"),
    Rule(("member",), _sometimes, "a member that not every element has (docs/conformance.md)"),
    Rule(("error code",), _refused_on_both_sides, "assumed code of invalid input (docs/wire.md)"),
    Rule(
        ("status", "error code"),
        _of_another_account,
        "assumed answer about another account (docs/assumptions.md)",
    ),
)


def known(probe: Probe, aspect: str, where: str, theirs: str, ours: str) -> str:
    """Return why a difference was to be expected; empty where nothing says so."""
    seen = Deviation(probe, aspect, where, theirs, ours)
    return next((rule.why for rule in RULES if aspect in rule.aspects and rule.fits(seen)), "")
