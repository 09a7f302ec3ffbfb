"""Read bills as a stream: in memory is one batch, and a sum for each type that an account runs."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from compute_optimizer.catalog.effective_rates import NOTHING, Billed, BilledUsage
from compute_optimizer.catalog.own_prices import PriceMarket
from compute_optimizer.errors import InvalidInput
from compute_optimizer.interfaces import no_progress
from compute_optimizer.model.spans import day_of
from compute_optimizer.sources.billing.kinds import (
    BILL_KINDS,
    NOT_USAGE,
    PLANNED,
    RESERVED,
    BillKind,
)
from compute_optimizer.sources.billing.usage_types import used
from compute_optimizer.sources.files.refusals import Refusals
from compute_optimizer.sources.files.tables import (
    CSV_SUFFIXES,
    PARQUET_SUFFIXES,
    Batch,
    ReadProgress,
    TableFile,
    open_table,
)
from compute_optimizer.sources.files.values import read_moments, read_numbers

ACCOUNT_DIGITS = 12

CURRENCIES = ("USD", "CNY")
"""Those of list prices (spec 3.9)."""

SHAPES = (
    ("account", re.compile(rf"[0-9]{{{ACCOUNT_DIGITS}}}"), "12 digits"),
    ("region", re.compile(r"[a-z0-9-]{0,32}"), "a Region such as us-east-1"),
)
"""Cells of a line that counts, and what they look like."""

GROUPED = ("account", "region", "usage_type", "operation", "coverage")
SUMMED = ("quantity", "list_usd", "effective_usd")


class _Key(NamedTuple):
    account_id: str
    market: PriceMarket
    name: str


@dataclass(slots=True)
class _Sum:
    billed: Billed
    first: int
    last: int
    """Seconds since 1970 at which usage began."""


def read_billing(places: Sequence[str], progress: ReadProgress = no_progress) -> list[BilledUsage]:
    """Return what accounts were billed by files, and by folders of them.

    All files are of one kind, which is told from their columns. Raises InvalidInput that names the
    file for what is no bill, and where nothing in them is of use.
    """
    files = [open_table(path) for place in places for path in _files(Path(place).expanduser())]
    kinds = {file.path: _kind(file) for file in files}
    if len({kind.name for kind in kinds.values()}) > 1:
        told = "; ".join(f"{path} is {kind.name}" for path, kind in kinds.items())
        raise InvalidInput(f"these bills are of two kinds and may say the same twice: {told}")
    sums: dict[_Key, _Sum] = {}
    for file in files:
        _add_file(file, kinds[file.path], sums, progress)
    if not sums:
        raise InvalidInput(
            f"{', '.join(places)}: no usage of instances, databases, volumes, Lambda functions or "
            "Fargate; expected lines such as BoxUsage:m5.large"
        )
    return [
        BilledUsage(*key, one.billed, day_of(one.first), day_of(one.last))
        for key, one in sorted(sums.items())
    ]


def _files(place: Path) -> list[Path]:
    if not place.is_dir():
        return [place]
    known = (*CSV_SUFFIXES, *PARQUET_SUFFIXES)
    found = sorted(one for one in place.rglob("*") if one.name.casefold().endswith(known))
    if not found:
        raise InvalidInput(f"{place}: no file in it has a name ending in {', '.join(known)}")
    return found


def _kind(file: TableFile) -> BillKind:
    lacking = {kind.name: kind.missing(file.columns) for kind in BILL_KINDS}
    kind = min(BILL_KINDS, key=lambda one: len(lacking[one.name]))
    if lacking[kind.name]:
        known = " or ".join(lacking)
        raise InvalidInput(
            f"{file.path} is no bill that can be read; expected the columns of {known}. For "
            f"{kind.name} there is no {', '.join(lacking[kind.name])}"
        )
    return kind


def _add_file(
    file: TableFile, kind: BillKind, sums: dict[_Key, _Sum], progress: ReadProgress
) -> None:
    refusals = Refusals()
    for batch in file.batches(kind.wanted(file.columns), refusals, progress):
        if len(batch):
            _add_groups(file.path, _grouped(_lines(file.path, kind, batch)), sums)
    for one in refusals.examples:
        raise InvalidInput(f"{one.file}, row {one.row}: {one.reason.value} ({one.found})")


def _lines(path: Path, kind: BillKind, batch: Batch) -> Any:
    """Return the usage in a batch as an Arrow table of GROUPED, SUMMED and `began`."""
    columns = batch.columns
    coverage = kind.coverage(columns)
    counts = coverage != NOT_USAGE
    if kind.currency in columns:
        _check_currency(path, columns[kind.currency])
    effective = np.zeros(len(batch))
    for covered, names in kind.effective_usd.items():
        rows = coverage == covered
        if rows.any():
            effective[rows] = _figures(path, batch, names)[rows]
    moments = read_moments(columns[kind.day])
    for reason, faults in moments.faults.items():
        _refuse(path, batch, kind.day, faults & counts, reason.value)
    table = pa.table(
        {
            "account": _accounts(columns[kind.account]),
            "region": _text(columns[kind.region]),
            "usage_type": _text(columns[kind.usage_type]),
            "operation": _text(columns[kind.operation]),
            "coverage": coverage,
            "quantity": _figures(path, batch, kind.quantity),
            "list_usd": _figures(path, batch, kind.list_usd),
            "effective_usd": effective,
            "began": moments.seconds,
        }
    )
    return table.filter(pa.array(counts))


def _figures(path: Path, batch: Batch, names: Sequence[str]) -> NDArray[np.float64]:
    """Return the first figure that a line has in the columns; 0 where it has none."""
    found = np.full(len(batch), np.nan)
    for name in names:
        if name in batch.columns:
            told = read_numbers(batch.columns[name])
            for reason, faults in told.faults.items():
                _refuse(path, batch, name, faults, reason.value)
            found = np.where(np.isnan(found), told.values, found)
    figures: NDArray[np.float64] = np.nan_to_num(found)
    return figures


def _refuse(path: Path, batch: Batch, name: str, faults: NDArray[np.bool_], why: str) -> None:
    if faults.any():
        row = int(batch.rows[int(faults.argmax())])
        raise InvalidInput(f"{path}, row {row}, column {name}: {why}")


def _check_currency(path: Path, column: Any) -> None:
    found = {one for one in pc.unique(column).to_pylist() if one}
    if others := sorted(found - set(CURRENCIES)):
        raise InvalidInput(
            f"{path} is in {others[0]}; expected {' or '.join(CURRENCIES)}, the currencies of list "
            "prices"
        )


def _accounts(column: Any) -> Any:
    # Tools that take accounts for numbers lose the zeros in front.
    told = _text(column)
    is_number = pc.match_substring_regex(told, f"^[0-9]{{1,{ACCOUNT_DIGITS}}}$")
    return pc.if_else(is_number, pc.utf8_lpad(told, ACCOUNT_DIGITS, "0"), told)


def _text(column: Any) -> Any:
    return pc.fill_null(pc.cast(column, pa.string()), "")


def _grouped(lines: Any) -> list[dict[str, Any]]:
    sums = [(name, "sum") for name in SUMMED]
    found = lines.group_by(list(GROUPED)).aggregate([*sums, ("began", "min"), ("began", "max")])
    rows: list[dict[str, Any]] = found.to_pylist()
    return rows


def _add_groups(path: Path, groups: Sequence[dict[str, Any]], sums: dict[_Key, _Sum]) -> None:
    for group in groups:
        what = used(group["usage_type"], group["operation"])
        if what is None:
            continue
        for cell, pattern, expected in SHAPES:
            if not pattern.fullmatch(group[cell]):
                raise InvalidInput(f"{path}: the {cell} {group[cell]!r} is not {expected}")
        key = _Key(
            group["account"], PriceMarket(what.product, group["region"], what.platform), what.name
        )
        billed = _billed(group, what.hours)
        first, last = group["began_min"], group["began_max"]
        if key in sums:
            one = sums[key]
            sums[key] = _Sum(one.billed.plus(billed), min(one.first, first), max(one.last, last))
        else:
            sums[key] = _Sum(NOTHING.plus(billed), first, last)


def _billed(group: dict[str, Any], zones: int) -> Billed:
    listed, paid = group["list_usd_sum"], group["effective_usd_sum"]
    hours = group["quantity_sum"] * zones
    is_reserved, is_planned = group["coverage"] == RESERVED, group["coverage"] == PLANNED
    return Billed(
        hours=hours,
        list_usd=listed,
        effective_usd=paid,
        reserved_hours=hours * is_reserved,
        reserved_list_usd=listed * is_reserved,
        reserved_effective_usd=paid * is_reserved,
        planned_hours=hours * is_planned,
    )
