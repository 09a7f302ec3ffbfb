"""Where the worker collects from: the kinds of sources, and the file that lists the sources.

sources:
  - name: datacentre
    kind: files
    arguments:
      inventory: fleet.csv
      metrics: [incoming/*.parquet]
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import msgspec

from compute_optimizer.errors import ComputeOptimizerError, InvalidInput
from compute_optimizer.jobs.changed_files import FilesArguments, collect_files
from compute_optimizer.jobs.collected_sources import (
    AwsArguments,
    PrometheusArguments,
    collect_aws,
    collect_prometheus,
)
from compute_optimizer.jobs.collector import Collector, SourcePlace
from compute_optimizer.sources.yaml_files import EntryName, read_yaml, repeated


@dataclass(frozen=True, slots=True)
class SourceKind:
    """What one kind of source is told, and how it collects."""

    arguments: type[msgspec.Struct]
    """Forbids unknown fields, so that a misspelled one is named."""
    collect: Callable[[Any, SourcePlace, Collector], dict[str, Any]]
    """Fills the stores and returns what it did, for people and programs. It goes on where the last
    call ended, also after one that was killed, and raises ComputeOptimizerError."""


SOURCE_KINDS: Mapping[str, SourceKind] = MappingProxyType(
    {
        "aws": SourceKind(AwsArguments, collect_aws),
        "files": SourceKind(FilesArguments, collect_files),
        "prometheus": SourceKind(PrometheusArguments, collect_prometheus),
    }
)
"""By the name that the file of sources says under `kind`."""


@dataclass(frozen=True, slots=True)
class Source:
    """One entry of the file, checked."""

    place: SourcePlace
    kind: str
    arguments: msgspec.Struct


class SourceEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One entry as it is written."""

    name: EntryName
    kind: str
    arguments: dict[str, Any] = {}


class SourcesFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file."""

    sources: tuple[SourceEntry, ...] = ()


def read_sources(path: str) -> tuple[Source, ...]:
    """Return the sources that a file lists, none where no file is named.

    Raises InvalidInput that names the place in the file.
    """
    if not path:
        return ()
    file = Path(path).expanduser()
    entries = read_yaml(file, SourcesFile).sources
    if twice := repeated(Counter(one.name for one in entries)):
        raise InvalidInput(f"{file}: the source {twice!r} is listed more than once")
    return tuple(_checked(file, number, one) for number, one in enumerate(entries))


def _checked(file: Path, number: int, entry: SourceEntry) -> Source:
    kind = SOURCE_KINDS.get(entry.kind)
    if kind is None:
        raise InvalidInput(
            f"{file}: there is no kind of source {entry.kind!r}; expected one of "
            f"{', '.join(SOURCE_KINDS)} - at `$.sources[{number}].kind`"
        )
    try:
        arguments = msgspec.convert(entry.arguments, kind.arguments)
    except msgspec.ValidationError as error:
        raise InvalidInput(f"{file}: source {entry.name!r}, arguments: {error}") from error
    return Source(SourcePlace(entry.name, file.absolute().parent), entry.kind, arguments)


def collect_all(sources: Sequence[Source], collector: Collector) -> dict[str, Any]:
    """Collect from every source and return what each did.

    One that fails does not hold up the others; at the end its error is raised, with its name.
    """
    found: dict[str, Any] = {}
    failures: list[ComputeOptimizerError] = []
    for source in sources:
        collector.check()
        try:
            found[source.place.name] = SOURCE_KINDS[source.kind].collect(
                source.arguments, source.place, collector
            )
        except ComputeOptimizerError as error:
            failures.append(type(error)(f"source {source.place.name}: {error}"))
    if failures:
        raise failures[0] if len(failures) == 1 else _together(failures)
    return found


def _together(failures: Sequence[ComputeOptimizerError]) -> ComputeOptimizerError:
    kinds = {type(one) for one in failures}
    text = "; ".join(str(one) for one in failures)
    return kinds.pop()(text) if len(kinds) == 1 else ComputeOptimizerError(text)
