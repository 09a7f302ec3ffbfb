"""YAML files of the user, read into checked records."""

from pathlib import Path
from typing import Any, TypeVar

import msgspec
import yaml

from compute_optimizer.errors import InvalidInput

T = TypeVar("T")

MAX_DOCUMENT_BYTES = 1024 * 1024
"""Far more than any of them needs."""


def read_document(path: Path, kind: type[T]) -> T:
    """Return the record in a YAML file; raise InvalidInput that names the place at fault."""
    try:
        if path.stat().st_size > MAX_DOCUMENT_BYTES:
            raise InvalidInput(f"{path}: larger than {MAX_DOCUMENT_BYTES:,} bytes")
        content: Any = yaml.safe_load(path.read_text("utf-8"))
        return msgspec.convert(content, kind)
    except OSError as error:
        raise InvalidInput(f"{path}: cannot be read: {error.strerror}") from error
    except msgspec.ValidationError as error:
        raise InvalidInput(f"{path}: {error}") from error
    except (yaml.YAMLError, UnicodeDecodeError, ValueError, RecursionError) as error:
        raise InvalidInput(f"{path}: is no YAML: {error}") from error
