"""Numbers of things as people read them: 1 service, 1,234 services."""

_SINGULARS = {"series": "series"}
"""Of plurals from which no rule makes it."""


def counted(number: int, plural: str) -> str:
    """Return a number with its noun, such as `1 day` or `1,234 member accounts`."""
    return f"{number:,} {singular_of(plural) if number == 1 else plural}"


def singular_of(plural: str) -> str:
    """Return what one of several things is called, whose last word is in the plural."""
    *before, last = plural.split(" ")
    if last not in _SINGULARS and last.endswith("ies"):
        return " ".join([*before, f"{last.removesuffix('ies')}y"])
    return " ".join([*before, _SINGULARS.get(last, last.removesuffix("s"))])
