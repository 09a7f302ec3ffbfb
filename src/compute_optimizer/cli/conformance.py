"""`compute-optimizer conformance`: how AWS's own service answers, beside how this one does."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from compute_optimizer.cli.collect import ProfileOption, listed
from compute_optimizer.cli.output import (
    Format,
    FormatOption,
    print_json,
    print_rows,
    warn,
)
from compute_optimizer.errors import InvalidInput
from compute_optimizer.interfaces import SystemClock
from compute_optimizer.jobs.conformance import (
    DIFFERENT,
    KNOWN,
    NOT_COMPARED,
    SAME,
    Compared,
    check_conformance,
    chosen_operations,
)
from compute_optimizer.model.conformance import Difference
from compute_optimizer.model.counted import counted
from compute_optimizer.sources.answers import Asker, Side

NEW_DIFFERENCES = 1
"""The exit code where the sides differ in what nobody expected."""

HEADINGS = {
    "operation": "Operation",
    "request": "Request",
    "what": "What",
    "theirs": "Theirs",
    "ours": "Ours",
    "known": "Known",
}


def conformance(
    endpoint: Annotated[
        str, typer.Option(help="Address of this server, with http:// or https://.")
    ],
    profile: ProfileOption = None,
    endpoint_profile: Annotated[
        str | None,
        typer.Option(help="Profile for --endpoint. Default: the one of --profile."),
    ] = None,
    region: Annotated[str | None, typer.Option(help="Region. Default: as boto3 finds it.")] = None,
    against: Annotated[
        str | None, typer.Option(help="Another server to compare with. Default: AWS itself.")
    ] = None,
    operations: Annotated[
        str, typer.Option(help="Operations with commas between. Default: all that only read.")
    ] = "",
    save: Annotated[
        Path | None, typer.Option(help="File for all of it as JSON, with nothing that identifies.")
    ] = None,
    output: FormatOption = Format.TABLE,
) -> None:
    """Compare how AWS answers with how this server does; only reads, and masks what identifies.

    The exit code is 1 where they differ in what is not documented.
    """
    chosen = chosen_operations(listed(operations))
    theirs = Side(_address("--against", against), profile, region)
    ours = Side(_address("--endpoint", endpoint), endpoint_profile or profile, region)
    with closing(Asker(theirs)) as there, closing(Asker(ours)) as here:
        found = check_conformance(there, here, chosen, SystemClock().now())
    report = _report(found)
    if save is not None:
        _save(save, report)
    if output is Format.JSON:
        print_json(report)
    else:
        _print(found)
    if any(one.outcome == DIFFERENT for one in found):
        raise typer.Exit(NEW_DIFFERENCES)


def _address(option: str, url: str | None) -> str | None:
    if url is not None and not url.startswith(("http://", "https://")):
        raise InvalidInput(f"{option} {url}: expected an address such as http://127.0.0.1:8080")
    return url


def _save(path: Path, report: dict[str, Any]) -> None:
    try:
        path.write_text(json.dumps(report, indent=2) + "\n")
    except OSError as error:
        raise InvalidInput(
            f"--save {path}: {error.strerror}; name a file in a folder that exists"
        ) from error


def _report(found: Sequence[Compared]) -> dict[str, Any]:
    return {"summary": _summary(found), "requests": [_as_json(one) for one in found]}


def _summary(found: Sequence[Compared]) -> dict[str, int]:
    counted = Counter(one.outcome for one in found)
    return {
        "requests": len(found),
        "same": counted[SAME],
        "known": counted[KNOWN],
        "different": counted[DIFFERENT],
        "notCompared": counted[NOT_COMPARED],
    }


def _as_json(one: Compared) -> dict[str, Any]:
    return {
        "operation": one.operation,
        "request": one.request,
        "outcome": one.outcome,
        "reason": one.not_compared or None,
        "differences": msgspec.to_builtins(one.differences),
        "theirs": one.theirs,
        "ours": one.ours,
    }


def _print(found: Sequence[Compared]) -> None:
    if rows := list(_rows(found)):
        print_rows(rows, HEADINGS, Format.TABLE, "What the two answer differently")
    summary = _summary(found)
    print(
        f"{counted(summary['requests'], 'requests')}: {summary['same']} answered alike, "
        f"{summary['known']} with known differences only, {summary['different']} with new ones, "
        f"{summary['notCompared']} not compared."
    )
    reasons = Counter((one.operation, one.not_compared) for one in found if one.not_compared)
    for (operation, reason), count in reasons.items():
        warn(f"{operation}: {counted(count, 'requests')} not compared; {reason}")


def _rows(found: Sequence[Compared]) -> Iterator[dict[str, str]]:
    """Yield each difference of an operation once, new ones first, with the requests of it."""
    requests: dict[tuple[str, Difference], list[str]] = {}
    for one in found:
        for each in one.differences:
            requests.setdefault((one.operation, each), []).append(one.request)
    for (operation, each), names in sorted(requests.items(), key=lambda item: _is_known(item[0])):
        more = f" and {len(names) - 1} more" if len(names) > 1 else ""
        yield {
            "operation": operation,
            "request": f"{names[0]}{more}",
            "what": f"{each.aspect} {each.where}".strip(),
            "theirs": each.theirs,
            "ours": each.ours,
            "known": each.known,
        }


def _is_known(difference: tuple[str, Difference]) -> bool:
    return bool(difference[1].known)
