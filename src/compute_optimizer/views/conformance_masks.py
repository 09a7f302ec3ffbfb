"""Free text without what identifies somebody, so that it can be shown to others."""

import re
from collections.abc import Iterable

from compute_optimizer.model.arn import ACCOUNT

MASK = "***"

IDENTIFYING = re.compile(
    r"arn:[^\s\"',]+"  # ARNs, with whatever resource they name
    r"|\w+://[^\s\"',]+"  # addresses
    r"|[\w.+-]+@[\w.-]+"  # mail addresses
    r"|\b\d{12}\b"  # accounts
    r"|\b(?:i|vol|nat|eni|vpc|subnet)-[0-9a-f]{8,17}\b"  # resources
    r"|\b[\w-]+(?:\.[\w-]+){2,}"  # hosts, by name or number
    r"|\"[^\"]*\"|'[^']*'"  # whatever is quoted
    r"|\b[A-Za-z0-9+/=_-]{32,}"  # tokens, keys and UUIDs
)
SHORTEST = 3
"""Characters of a text that is looked for in others: shorter ones are in every word."""

WORD = re.compile(r"[A-Za-z][A-Za-z_]{0,63}")
"""What names of errors and values of enums look like."""


def masked(text: str, values: Iterable[str] = ()) -> str:
    """Return a text without identifying parts and without any of the given values."""
    for value in sorted({one for one in values if len(one) >= SHORTEST}, key=len, reverse=True):
        text = text.replace(value, MASK)
    return IDENTIFYING.sub(MASK, text)


def word_or_mask(text: str) -> str:
    """Return a text that is one word, as of an enum; else the mask."""
    return text if WORD.fullmatch(text) else MASK


def parts_of(arn: str) -> list[str]:
    """Return what identifies a resource inside its ARN: account, type and names; [] for none."""
    return [part for field in arn.split(":")[ACCOUNT:] for part in (field, *field.split("/"))]
