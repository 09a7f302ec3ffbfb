"""Exports into a folder of this machine: each bucket is a folder in it, made when first used."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from glob import escape
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

from compute_optimizer.errors import InvalidInput, NotFound

BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
"""Names that Amazon S3 accepts for buckets, so that a folder can become a bucket later."""

DRAFT_SUFFIX = ".part"
"""Of a file that is being written; it is renamed at the end. Before it stands a name that is drawn
anew each time: who comes back late must not touch the draft of who took over."""


class FolderSink:
    """Writes below one folder."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def check_place(self, bucket: str, key: str, region: str) -> None:
        """Raise InvalidInput for a bucket or a key that is no path below the folder."""
        if not BUCKET.fullmatch(bucket) or ".." in bucket:
            raise InvalidInput(
                f"the bucket name {bucket!r} is not valid; expected 3 to 63 lower-case letters, "
                "digits, dots and hyphens"
            )
        parts = key.split("/")
        if any(part in ("", ".", "..") for part in parts) or "\\" in key or "\0" in key:
            raise InvalidInput(
                f"the key {key!r} is no path below a folder; expected a keyPrefix without empty "
                "segments, '.', '..' and backslashes"
            )

    def check_access(self, bucket: str, key: str, region: str, account_id: str) -> None:
        """Raise InvalidInput where the folder of the bucket cannot be made or written to."""
        folder = self.root / bucket
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InvalidInput(f"the folder {folder} cannot be made: {error.strerror}") from error
        if not os.access(folder, os.W_OK):
            raise InvalidInput(f"the folder {folder} cannot be written to")

    @contextmanager
    def writing(self, bucket: str, key: str, region: str, content_type: str) -> Iterator[BinaryIO]:
        """Open a draft that is renamed at the end of the block and removed if it fails."""
        path = self._path(bucket, key)
        draft = path.with_name(f".{path.name}.{uuid4().hex}{DRAFT_SUFFIX}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with draft.open("wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            draft.replace(path)
        except OSError as error:
            raise InvalidInput(f"the file {path} cannot be written: {error.strerror}") from error
        finally:
            # Where the draft could not be made for its path, it cannot be looked for either.
            with suppress(OSError):
                draft.unlink()

    def discard(self, bucket: str, key: str, region: str) -> None:
        """Remove every draft of a file."""
        path = self._path(bucket, key)
        with suppress(OSError):
            for draft in path.parent.glob(f".{escape(path.name)}*{DRAFT_SUFFIX}"):
                draft.unlink(missing_ok=True)

    def finished(self, bucket: str, key: str) -> Path:
        """Return where a complete file lies; raise NotFound where there is none."""
        path = self._path(bucket, key)
        if not path.is_file():
            raise NotFound(f"there is no file {key} of the bucket {bucket} any more")
        return path

    def _path(self, bucket: str, key: str) -> Path:
        self.check_place(bucket, key, "")
        return self.root / bucket / key
