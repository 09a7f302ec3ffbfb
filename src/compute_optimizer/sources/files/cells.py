"""From the cells of an inventory row to values; what does not fit is refused with its reason."""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from compute_optimizer.model.lambda_function import ARCHITECTURES
from compute_optimizer.model.written_numbers import number_of
from compute_optimizer.sources.files.refusals import Reason

MAX_TEXT = 256
"""Characters of a name, a tag or a type (EC2 tags: keys 128, values 256)."""

LARGEST_NUMBER = 2**31 - 1
"""Of anything counted, sized or paid for in an inventory: far beyond what there is (the largest
Aurora volume has 262,144 GiB, the largest machine 33,554,432 MiB), and safe to compute with."""

PLATFORMS = {
    "linux": "linux",
    "linux/unix": "linux",
    "windows": "windows",
    "rhel": "rhel",
    "red hat enterprise linux": "rhel",
    "suse": "suse",
    "suse linux": "suse",
}
"""Platforms by what EC2 and people call them; they decide the price."""

SOLD_WITH = re.compile(r"(?:(?P<system>.+) with )?sql server (?P<edition>enterprise|standard|web)")
"""What EC2 calls the platform of an instance that it sells with SQL Server (Amazon EC2 User Guide,
AMI billing information); without a system it is Linux."""

YES = ("true", "yes", "1")
NO = ("false", "no", "0", "")
"""How files spell whether something is so, without case."""

Row = Mapping[str, Any]


class RowRefused(Exception):
    """A row of the inventory is not taken."""

    def __init__(self, reason: Reason, found: object) -> None:
        super().__init__(reason)
        self.reason = reason
        self.found = str(found)


def text(row: Row, field: str) -> str:
    """Return the text of a cell without blanks around it, empty where there is none."""
    value = row.get(field)
    found = "" if value is None else str(value).strip()
    if len(found) > MAX_TEXT * (2 if field.endswith("arn") else 1):
        raise RowRefused(Reason.TOO_LONG, f"{field}: {found[:40]}...")
    return found


def required(row: Row, field: str) -> str:
    """Return the text of a cell that must not be empty."""
    found = text(row, field)
    if not found:
        raise RowRefused(Reason.MISSING, field)
    return found


def choice(row: Row, field: str, default: str, known: tuple[str, ...], reason: Reason) -> str:
    """Return the one of the known words that a cell holds, without case."""
    value = text(row, field).casefold() or default
    if value not in known:
        raise RowRefused(reason, value)
    return value


def capacity(row: Row, field: str) -> float | None:
    """Return the positive number of a cell; None where it is empty."""
    found = text(row, field)
    if not found:
        return None
    number = number_of(found)
    if number is None or number <= 0:
        raise RowRefused(Reason.CAPACITY, f"{field}: {found}")
    return _sane(number, f"{field}: {found}")


def _sane(number: float, found: str) -> float:
    """Return the number; raise RowRefused for one that nothing has."""
    if number > LARGEST_NUMBER:
        raise RowRefused(Reason.TOO_LARGE, found)
    return number


def whole_capacity(row: Row, field: str) -> int | None:
    """Return the positive whole number of a cell; None where it is empty."""
    number = capacity(row, field)
    if number is None:
        return None
    if not number.is_integer():
        raise RowRefused(Reason.CAPACITY, f"{field}: {text(row, field)}")
    return int(number)


def count(row: Row, field: str) -> int:
    """Return the whole number of a cell that must not be empty, 0 or more."""
    found = required(row, field)
    number = number_of(found)
    if number is None or number < 0 or not number.is_integer():
        raise RowRefused(Reason.GROUP_SIZE, f"{field}: {found}")
    return int(_sane(number, f"{field}: {found}"))


def whole_up_to(row: Row, field: str, most: int, reason: Reason) -> int | None:
    """Return the whole number from 0 to `most` of a cell; None where it is empty."""
    found = text(row, field)
    if not found:
        return None
    number = number_of(found)
    if number is None or not 0 <= number <= most or not number.is_integer():
        raise RowRefused(reason, f"{field}: {found}")
    return int(number)


def flag(row: Row, field: str) -> bool:
    """Return whether a cell says yes; an empty one says no."""
    value = text(row, field).casefold()
    if value not in (*YES, *NO):
        raise RowRefused(Reason.FLAG, f"{field}: {value}")
    return value in YES


def moment(row: Row, field: str) -> datetime | None:
    """Return the moment of a cell, in UTC where it names no zone; None where it is empty."""
    found = text(row, field)
    if not found:
        return None
    try:
        read = datetime.fromisoformat(found.upper())
        return read.astimezone(UTC) if read.tzinfo else read.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise RowRefused(Reason.MOMENT, f"{field}: {found}") from None


def platform(row: Row) -> str:
    """Return the platform of a row, linux where it names none."""
    value = text(row, "platform").casefold() or "linux"
    if sold := SOLD_WITH.fullmatch(value):
        value = sold["system"] or "linux"
    if value not in PLATFORMS:
        raise RowRefused(Reason.PLATFORM, value)
    return PLATFORMS[value]


def sold_edition(row: Row) -> str:
    """Return the edition of SQL Server that is sold with the platform of a row; empty for none."""
    sold = SOLD_WITH.fullmatch(text(row, "platform").casefold())
    return sold["edition"] if sold else ""


def architecture(row: Row) -> str:
    """Return the instruction set of a row, x86_64 where it names none."""
    return choice(row, "architecture", ARCHITECTURES[0], ARCHITECTURES, Reason.ARCHITECTURE)


def tags(value: Any) -> Mapping[str, str]:
    """Return the tags of a cell, in any of the spellings that docs/import.md lists."""
    if value is None or value == "":
        return {}
    if isinstance(value, str):
        value = _tags_of_text(value)
    if isinstance(value, Mapping):
        value = list(value.items())
    if not isinstance(value, list):
        raise RowRefused(Reason.TAGS, value)
    found = {key: str(one) for key, one in map(_tag, value) if one is not None}
    if any(len(key) > MAX_TEXT or len(one) > MAX_TEXT for key, one in found.items()):
        raise RowRefused(Reason.TOO_LONG, "tags")
    return found


def _tag(one: Any) -> tuple[str, Any]:
    """Return key and value of a pair (Parquet's maps) or of EC2's own {"Key": , "Value": }."""
    if isinstance(one, Mapping):
        one = tuple(part for name in ("key", "value") for part in _members(one, name))
    if not isinstance(one, tuple) or len(one) != 2 or not isinstance(one[0], str) or not one[0]:
        raise RowRefused(Reason.TAGS, one)
    if isinstance(one[1], (dict, list)):
        raise RowRefused(Reason.TAGS, one)
    return one


def _members(one: Mapping[str, Any], name: str) -> list[Any]:
    return [value for key, value in one.items() if str(key).casefold() == name]


def _tags_of_text(written: str) -> Any:
    if written.lstrip().startswith(("{", "[")):
        try:
            return json.loads(written)
        except (ValueError, RecursionError):
            raise RowRefused(Reason.TAGS, written) from None
    pairs = [part.partition("=") for part in written.split(";") if part.strip()]
    if not all(equals and key.strip() for key, equals, _ in pairs):
        raise RowRefused(Reason.TAGS, written)
    return {key.strip(): value.strip() for key, _, value in pairs}
