"""Labels -> what they tell of a resource."""

import re
from collections.abc import Mapping, Sequence

from compute_optimizer.sources.prometheus.declared import FromLabel, TextSource

REFERENCE = re.compile(r"\$(?:\{(\d+)\}|(\d+))", re.ASCII)
"""Of a group, as relabelling writes it."""

Labels = Mapping[str, str]


def told(what: TextSource, labels: Labels) -> str:
    """Return what labels tell, empty where they tell nothing."""
    for one in what if isinstance(what, tuple) else (what,):
        if found := one if isinstance(one, str) else _relabelled(one, labels):
            return found
    return ""


def tags_of(pattern: str, labels: Labels) -> dict[str, str]:
    """Return the labels that are tags, by the first group of the pattern that their names match."""
    if not pattern:
        return {}
    matches = ((re.fullmatch(pattern, name), value) for name, value in labels.items())
    return {match[1] if match.re.groups else match[0]: value for match, value in matches if match}


def machine_of(by: Sequence[str], labels: Labels) -> tuple[str, ...]:
    """Return the labels by which a machine is told from others."""
    return tuple(labels.get(name, "") for name in by)


def _relabelled(one: FromLabel, labels: Labels) -> str:
    match = re.fullmatch(one.regex, labels.get(one.label, ""))
    if match is None:
        return ""

    def group(reference: re.Match[str]) -> str:
        number = int(reference[1] or reference[2])
        return (match[number] or "") if number <= match.re.groups else ""

    return REFERENCE.sub(group, one.replacement)
