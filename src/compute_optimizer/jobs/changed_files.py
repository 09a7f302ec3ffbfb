"""The source `files`: bring in an inventory and metric files that changed since the last time."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import Connection

from compute_optimizer.errors import InvalidInput
from compute_optimizer.jobs.collector import Collector, SourcePlace
from compute_optimizer.jobs.ingest import ImportReport, ImportRequest, ingest
from compute_optimizer.model.metrics import Statistic
from compute_optimizer.sources.files.folders import settled_files
from compute_optimizer.sources.files.mapping import NO_MAPPING, read_mapping
from compute_optimizer.store.source_files import Mark, known_files, remember_files

Marks = Mapping[Path, Mark]


class FilesArguments(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a source of the kind `files` is told."""

    inventory: str | None = None
    """The resources: one file."""
    metrics: tuple[str, ...] = ()
    """Files, folders or patterns."""
    mapping: str | None = None
    """YAML that says what the columns of foreign metric files mean."""
    statistic: Statistic | None = None
    """Of samples that do not say theirs."""


def collect_files(
    arguments: FilesArguments, place: SourcePlace, collector: Collector
) -> dict[str, Any]:
    """Bring in what changed and return what that was.

    All files at once, so that samples of one slot in several files meet. Where one of them cannot
    be understood, each by itself, so that the others are not held up by it; then InvalidInput names
    those that were left out. A file is on record in the transaction that brings it in. Where the
    inventory changed, all metric files are read again: they may tell of new resources.
    """
    inventory, metrics = _changed(arguments, place, collector)
    if not inventory and not metrics:
        return {"files": 0}
    request = ImportRequest(
        mapping=read_mapping(place.folder / arguments.mapping) if arguments.mapping else NO_MAPPING,
        statistic=arguments.statistic,
    )
    try:
        reports = [_bring_in(request, inventory, metrics, place, collector)]
    except InvalidInput as error:
        if len(inventory) + len(metrics) == 1:
            raise
        reports = _one_by_one(request, inventory, metrics, place, collector, error)
    return {
        "files": len(inventory) + len(metrics),
        "samples": sum(sum(one.samples.values()) for one in reports),
        "tiles": sum(one.tiles for one in reports),
        "refused": sum(one.refusals.total for one in reports),
    }


def _changed(
    arguments: FilesArguments, place: SourcePlace, collector: Collector
) -> tuple[dict[Path, Mark], dict[Path, Mark]]:
    """Return the inventory and the metric files that are not on record as they are now."""
    with collector.state.reading() as connection:
        known = known_files(connection, place.name)
    named = (arguments.inventory,) if arguments.inventory else ()
    inventory = _marked(named, place, collector)
    metrics = _marked(arguments.metrics, place, collector)
    if inventory := _new(inventory, known):
        return inventory, metrics
    return {}, _new(metrics, known)


def _marked(named: tuple[str, ...], place: SourcePlace, collector: Collector) -> dict[Path, Mark]:
    files = settled_files(named, place.folder, collector.clock.now())
    return {path: Mark(one.st_size, one.st_mtime_ns) for path, one in files.items()}


def _new(files: Marks, known: Mapping[str, Mark]) -> dict[Path, Mark]:
    return {path: mark for path, mark in files.items() if known.get(str(path)) != mark}


def _bring_in(
    request: ImportRequest,
    inventory: Marks,
    metrics: Marks,
    place: SourcePlace,
    collector: Collector,
) -> ImportReport:
    marks = {str(path): mark for path, mark in {**inventory, **metrics}.items()}

    def fence(connection: Connection) -> None:
        collector.fence(connection)
        remember_files(connection, place.name, marks, collector.clock.now())

    wanted = replace(request, inventory=next(iter(inventory), None), metrics=tuple(metrics))
    return ingest(collector.state, collector.tiles, collector.clock, wanted, fence=fence)


def _one_by_one(
    request: ImportRequest,
    inventory: Marks,
    metrics: Marks,
    place: SourcePlace,
    collector: Collector,
    first: InvalidInput,
) -> list[ImportReport]:
    reports, failures = [], []
    alone = [(path, mark, path in inventory) for path, mark in {**inventory, **metrics}.items()]
    for path, mark, resources in alone:
        one, none = {path: mark}, dict[Path, Mark]()
        pair = (one, none) if resources else (none, one)
        collector.check()
        try:
            reports.append(_bring_in(request, *pair, place, collector))
        except InvalidInput as error:
            failures.append(str(error))
    if failures:
        raise InvalidInput(
            f"{len(failures)} of {len(alone)} files were left out; the first: {failures[0]}"
        ) from first
    return reports
