"""Tile files in a bucket of Amazon S3, or of any store that speaks its API.

    s3://BUCKET/PREFIX/current/...      objects; a name is uploaded once and never again
    s3://BUCKET/PREFIX/superseded/...   as in a folder
    s3://BUCKET/PREFIX/clock            touched to know the time of the store

An object appears whole or not at all, so the crash guarantee is that of the folder: whatever is
not in the manifest is not seen, and is swept. What a lock of a file does in a folder is done by the
state database. Why this is boto3, and not pyarrow: docs/decisions/0046.
"""

import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache, partial
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

import pyarrow as pa
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from compute_optimizer.errors import InvalidInput, StoreUnavailable
from compute_optimizer.store.rights import Rights
from compute_optimizer.store.tile_files import TileFile
from compute_optimizer.store.tile_places import CURRENT, SUPERSEDED, Placed

T = TypeVar("T")

SCHEME = "s3://"

AT_ONCE = 8
"""Requests of one reader at a time: a shard's two weeks come in two rounds."""

ATTEMPTS = 5
CONNECT_SECONDS = 10
READ_SECONDS = 60
"""Of one request; botocore waits longer after each (its retry mode `standard`)."""

KEPT_CONNECTIONS = 8 * AT_ONCE
"""Of one process, in which threads read side by side: those of a server, or a worker's jobs. What
is open beyond it is closed after its request, with a warning in the log for each."""

REMOVED_AT_ONCE = 1_000
"""Keys that one DeleteObjects takes (Amazon S3 API Reference)."""

ABSENT = frozenset({"404", "NoSuchKey", "NotFound"})


@dataclass(frozen=True)
class TileBucket:
    """The objects below a prefix; pickled as its URL, so that any machine can open it."""

    url: str
    """s3://BUCKET or s3://BUCKET/PREFIX."""
    rights: Rights
    """Of the one process that may change tiles."""
    _parts: tuple[str, str] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        bucket, _, prefix = self.url.removeprefix(SCHEME).strip("/").partition("/")
        if not self.url.startswith(SCHEME) or not bucket:
            raise InvalidInput(
                f"tiles_url {self.url!r} is no place for tiles; expected s3://BUCKET/PREFIX, or "
                "nothing for the data folder"
            )
        object.__setattr__(self, "_parts", (bucket, f"{prefix}/" if prefix else ""))

    @property
    def name(self) -> str:
        """Return what people call the place."""
        return self.url

    def open_all(self, paths: Sequence[str]) -> Iterator[TileFile]:
        """Read tiles whole, several at a time, and open them in their order."""
        for path, found in zip(paths, self._each(self._read, paths), strict=True):
            if found is None:
                raise StoreUnavailable(
                    f"tile {self.url}/{CURRENT}/{path} does not exist; restore it, or remove its "
                    "row and import that day again"
                )
            yield TileFile(f"{self.url}/{CURRENT}/{path}", _mapped(found))

    def expect(self, paths: Sequence[str]) -> None:
        """Do nothing: objects are fetched several at once when they are opened."""

    def size(self, path: str) -> int | None:
        """Return the bytes of a current object; None where it is not there any more."""
        with self._explained():
            try:
                head = client().head_object(Bucket=self._parts[0], Key=self._key(CURRENT, path))
            except ClientError as error:
                if _code(error) not in ABSENT:
                    raise
                return None
        found: int = head["ContentLength"]
        return found

    def put(self, files: Iterable[tuple[Path, str]]) -> None:
        """Upload files, several at a time, and remove them here."""
        self._each(self._upload, list(files))

    def supersede(self, paths: Iterable[str]) -> None:
        """Move objects; the copy is made by the store, and is there before the object goes."""
        moved = [path for path, found in self._moved(list(paths), CURRENT, SUPERSEDED) if found]
        self.remove(CURRENT, moved)

    def reinstate(self, path: str) -> None:
        """Move an object back."""
        self._copied((SUPERSEDED, CURRENT), path)
        self.remove(SUPERSEDED, [path])

    def files(self, part: str) -> list[Placed]:
        """Return every object of a part, a thousand with each request."""
        bucket, prefix = self._parts
        below = f"{prefix}{part}/"
        pages = client().get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=below)
        with self._explained():
            return [
                Placed(one["Key"].removeprefix(below), one["Size"], one["LastModified"].timestamp())
                for page in pages
                for one in page.get("Contents", [])
                if one["Key"].endswith(".parquet")
            ]

    def now(self) -> float:
        """Return the store's own time, by which the ages of objects count."""
        key = f"{self._parts[1]}clock"
        self._call("put_object", Key=key, Body=b"")
        seconds: float = self._call("head_object", Key=key)["LastModified"].timestamp()
        return seconds

    def remove(self, part: str, paths: Iterable[str]) -> None:
        """Remove objects, a thousand with each request."""
        self._remove(self._key(part, path) for path in paths)

    def remove_account(self, account_id: str) -> None:
        """Remove every object of an account."""
        for part in (CURRENT, SUPERSEDED):
            below = f"account_id={account_id}"
            self.remove(part, [f"{below}/{one.path}" for one in self.files(f"{part}/{below}")])

    def copy(self, paths: Sequence[str], folder: Path) -> str | None:
        """Download objects, several at a time; return the first that is nowhere any more."""
        for some in _some(paths, AT_ONCE):
            for path, found in zip(some, self._each(self._read, some), strict=True):
                if found is None:
                    return path
                target = folder / path
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(found)
        return None

    @contextmanager
    def held(self, right: str) -> Iterator[bool]:
        """Hold a right of one process, or yield False while another one holds it."""
        with self.rights.held(right) as alone:
            yield alone

    def check_held(self) -> None:
        """Raise Conflict where the right to import was lost meanwhile."""
        self.rights.check_held("import")

    def check(self) -> None:
        """Raise InvalidInput where there is no such bucket or it is closed to us."""
        try:
            self._call("head_bucket")
        except StoreUnavailable as error:
            raise InvalidInput(
                f"tiles_url {self.url}: {error}; make the bucket, allow s3:ListBucket, "
                "s3:GetObject, s3:PutObject and s3:DeleteObject, or set AWS_ENDPOINT_URL_S3 for "
                "another store than Amazon's"
            ) from error

    def _read(self, path: str) -> bytes | None:
        # A swap moves objects from the first to the second, and a sweep some of them back.
        for part in (CURRENT, SUPERSEDED, CURRENT):
            with self._explained():
                try:
                    answer = client().get_object(Bucket=self._parts[0], Key=self._key(part, path))
                    content: bytes = answer["Body"].read()
                    return content
                except ClientError as error:
                    if _code(error) not in ABSENT:
                        raise
        return None

    def _upload(self, file: tuple[Path, str]) -> None:
        source, path = file
        with source.open("rb") as body:
            self._call("put_object", Key=self._key(CURRENT, path), Body=body)
        source.unlink()

    def _moved(self, paths: Sequence[str], *parts: str) -> Iterator[tuple[str, bool]]:
        return zip(paths, self._each(partial(self._copied, parts), paths), strict=True)

    def _copied(self, parts: Sequence[str], path: str) -> bool:
        before, after = parts
        source = {"Bucket": self._parts[0], "Key": self._key(before, path)}
        with self._explained():
            try:
                client().copy_object(
                    Bucket=self._parts[0], Key=self._key(after, path), CopySource=source
                )
            except ClientError as error:
                if _code(error) not in ABSENT:
                    raise
                return False
        return True

    def _remove(self, keys: Iterable[str]) -> None:
        for some in _some(keys, REMOVED_AT_ONCE):
            wanted = {"Objects": [{"Key": key} for key in some], "Quiet": True}
            refused = self._call("delete_objects", Delete=wanted).get("Errors", [])
            if refused:
                raise StoreUnavailable(
                    f"{refused[0]['Key']} of {self.url} cannot be removed: "
                    f"{refused[0].get('Message') or refused[0].get('Code')}"
                )

    def _key(self, part: str, path: str) -> str:
        return f"{self._parts[1]}{part}/{path}"

    def _call(self, name: str, **parameters: Any) -> Mapping[str, Any]:
        with self._explained():
            answer: Mapping[str, Any] = getattr(client(), name)(Bucket=self._parts[0], **parameters)
            return answer

    def _each(self, do: Callable[[Any], T], all_of: Sequence[Any]) -> list[T]:
        """Do something with each, several at a time; what one raises is raised."""
        with ThreadPoolExecutor(min(AT_ONCE, max(1, len(all_of)))) as pool:
            return list(pool.map(do, all_of))

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except (BotoCoreError, ClientError) as error:
            raise StoreUnavailable(f"tiles in {self.url} cannot be used: {error}") from error


@cache
def client() -> Any:
    """Return this process's client; threads may share it. Credentials, Region and endpoint are
    found and renewed as boto3 does."""
    import boto3  # Slow to import, and most installations keep their tiles in a folder.

    options: dict[str, Any] = {
        "retries": {"mode": "standard", "total_max_attempts": ATTEMPTS},
        "connect_timeout": CONNECT_SECONDS,
        "read_timeout": READ_SECONDS,
        "max_pool_connections": KEPT_CONNECTIONS,
    }
    for name in ("request_checksum_calculation", "response_checksum_validation"):
        if name in Config.OPTION_DEFAULTS:
            options[name] = "when_required"  # Other stores do not know the newer checksums.
    return boto3.session.Session().client("s3", config=Config(**options))


def _mapped(content: bytes) -> Any:
    """Return a tile as a file that has no name any more: the memory can be taken back."""
    with tempfile.NamedTemporaryFile(prefix="tile-", suffix=".parquet") as file:
        file.write(content)
        file.flush()
        return pa.memory_map(file.name)


def _some(all_of: Iterable[T], number: int) -> Iterator[list[T]]:
    """Yield so many at a time."""
    waiting = iter(all_of)
    while some := list(islice(waiting, number)):
        yield some


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))
