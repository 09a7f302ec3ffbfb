"""YAML files that people write: read strictly, with the place of whatever is wrong."""

import re
from collections import Counter
from collections.abc import Callable, Hashable
from pathlib import Path
from typing import Annotated, Any, TypeVar

import msgspec
import yaml

from compute_optimizer.errors import InvalidInput

T = TypeVar("T")

EntryName = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9._-]{1,64}\Z")]
"""Of an entry of a file, as others refer to it."""

MAX_FILE_BYTES = 1024 * 1024
"""Far more than a file that people write needs."""

UNQUOTED = re.compile(r"Expected `[^`]*\bstr\b[^`]*`, got `int`")
"""What msgspec says of an account id that YAML has read as a number."""

QUOTED = "; put it in quotes: without them it is a number"

Hook = Callable[[type, Any], Any]
"""Turns a plain value into a type that is no plain one, as msgspec calls it."""


def read_yaml(
    path: Path, record: type[T], hook: Hook | None = None, *, may_be_empty: bool = True
) -> T:
    """Return the content of a file as a record; raise InvalidInput that names the place in it."""
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise InvalidInput(f"{path}: larger than {MAX_FILE_BYTES:,} bytes")
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise InvalidInput(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{path}: is no UTF-8 text: {error}") from error
    return convert_yaml(text, str(path), record, hook, may_be_empty=may_be_empty)


def convert_yaml(
    text: str, name: str, record: type[T], hook: Hook | None = None, *, may_be_empty: bool = True
) -> T:
    """Return a text as a record; raise InvalidInput that begins with what the text is called."""
    try:
        content = yaml.load(text, Loader=_Loader)
        empty = may_be_empty and not content
        return msgspec.convert({} if empty else content, record, dec_hook=hook)
    except (msgspec.ValidationError, InvalidInput) as error:
        advice = QUOTED if UNQUOTED.search(str(error)) else ""
        raise InvalidInput(f"{name}: {error}{advice}") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise InvalidInput(f"{name}: is no valid YAML: {error}") from error


def repeated(counts: Counter[str]) -> str | None:
    """Return the first of the names that occur more than once; None where there is none."""
    return next((name for name, count in counts.items() if count > 1), None)


class _Loader(yaml.SafeLoader):
    """Plain data, and no key twice: the first of two would be lost in silence."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        """Return a mapping; raise ConstructorError for a key that occurs twice."""
        keys = Counter(key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode))
        if twice := repeated(keys):
            place = node.start_mark
            problem = f"the key {twice!r} occurs more than once"
            raise yaml.constructor.ConstructorError(None, None, problem, place)
        return super().construct_mapping(node, deep)
