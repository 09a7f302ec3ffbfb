"""`compute-optimizer prices`: newer list prices, and prices of one's own."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn

from compute_optimizer.app import opened
from compute_optimizer.cli.auditing import record_command
from compute_optimizer.cli.output import (
    DataDirOption,
    Format,
    FormatOption,
    print_json,
    print_rows,
    settings_for,
)
from compute_optimizer.errors import InvalidInput
from compute_optimizer.jobs.effective import import_billing
from compute_optimizer.jobs.prices import Loaded, import_sheet, list_places, load_lists
from compute_optimizer.store.billed_usage import BilledGroup, billed_groups, remove_usage
from compute_optimizer.store.own_prices import Layer, price_groups, remove_prices

commands = typer.Typer(
    help="Prices that count before those that the program ships.", no_args_is_help=True
)

LOADED = {"from": "From", "prices": "Prices", "markets": "Markets", "date": "Of"}
GROUPS = {
    "layer": "Layer",
    "product": "Product",
    "region": "Region",
    "platform": "Platform",
    "prices": "Prices",
    "oldest": "Oldest of",
    "source": "Source",
}

BILLED = {
    "account": "Account",
    "product": "Product",
    "firstDay": "From",
    "lastDay": "To",
    "rates": "Rates",
    "listUsd": "List USD",
    "effectiveUsd": "Effective USD",
    "reserved": "Reserved",
    "planned": "Savings Plans",
}

NEXT = "They count from the next analysis on."


@commands.command("load")
def load(
    region: Annotated[
        list[str] | None, typer.Option(help="Region whose lists to fetch; may be repeated.")
    ] = None,
    file: Annotated[
        list[str] | None, typer.Option(help="CSV file of the AWS Price List; may be repeated.")
    ] = None,
    output: FormatOption = Format.TABLE,
    data_dir: DataDirOption = None,
) -> None:
    """Take in the AWS Price List for EC2 and RDS, from the web or from files."""
    settings = settings_for(data_dir)
    places = list_places(file or (), region or (), settings.price_list_url)
    if not places:
        raise InvalidInput("which prices? Give --region us-east-1, or --file of a price list")
    with opened(settings) as application:
        with _bar() as bar:
            task = bar.add_task("")
            loaded = load_lists(
                application.state,
                places,
                lambda place, lines: bar.update(task, description=f"{place}: {lines:,} lines"),
            )
        record_command(application, "prices load", list(places))
    _print_loaded(loaded, output)


@commands.command("import")
def import_(
    sheet: Annotated[str, typer.Argument(help="CSV file: region, type, hourly_usd.")],
    as_of: Annotated[
        str | None, typer.Option(help="Day from which the prices hold; today by default.")
    ] = None,
    output: FormatOption = Format.TABLE,
    data_dir: DataDirOption = None,
) -> None:
    """Take in a price sheet: what you pay, in the place of list prices."""
    with opened(settings_for(data_dir)) as application:
        today = application.clock.now().date()
        loaded = import_sheet(application.state, sheet, _day(as_of, today))
        record_command(application, "prices import", [sheet], prices=loaded.prices)
    _print_loaded([loaded], output)


@commands.command("effective")
def effective(
    bills: Annotated[
        list[str], typer.Argument(help="Files of CUR 2.0 or FOCUS, CSV or Parquet, or folders.")
    ],
    output: FormatOption = Format.TABLE,
    data_dir: DataDirOption = None,
) -> None:
    """Take in what accounts were billed: savings after discounts go by these rates."""
    with opened(settings_for(data_dir)) as application:
        with _bar() as bar:
            task = bar.add_task("")
            found = import_billing(
                application.state,
                bills,
                lambda path, share: bar.update(task, description=f"{path}: {share:.0%}"),
            )
        record_command(application, "prices effective", bills)
    rows = [_billed_row(one) for one in found]
    if output is Format.JSON:
        print_json({"billed": rows})
        return
    print_rows([_for_people(row) for row in rows], BILLED, Format.TABLE)
    print(NEXT)


@commands.command("list")
def list_(output: FormatOption = Format.TABLE, data_dir: DataDirOption = None) -> None:
    """Print what prices there are beside those that the program ships."""
    with opened(settings_for(data_dir)) as application, application.state.reading() as connection:
        rows: list[dict[str, Any]] = [
            {
                "layer": one.layer,
                **one.market._asdict(),
                "prices": one.prices,
                "oldest": one.oldest.isoformat(),
                "source": one.source,
            }
            for one in price_groups(connection)
        ]
        billed = [_billed_row(one) for one in billed_groups(connection)]
    if output is Format.JSON:
        print_json({"prices": rows, "billed": billed})
        return
    if rows:
        print_rows(rows, GROUPS, Format.TABLE, "Own prices; sheets count before lists")
    if billed:
        shown = [_for_people(row) for row in billed]
        print_rows(shown, BILLED, Format.TABLE, "What was billed, for savings after discounts")
    if not rows and not billed:
        print("There are none: the prices that the program ships hold everywhere.")


@commands.command("remove")
def remove(
    layer: Annotated[Layer | None, typer.Option(help="Only the lists, or only the sheets.")] = None,
    data_dir: DataDirOption = None,
) -> None:
    """Remove own prices, so that those that the program ships hold again, and what was billed."""
    with opened(settings_for(data_dir)) as application:
        layers = list(Layer) if layer is None else [layer]
        with application.state.writing() as connection:
            removed = remove_prices(connection, layers)
            rates = remove_usage(connection) if layer is None else 0
        record_command(application, "prices remove", [one.value for one in layers])
    and_rates = f" and {rates:,} effective rates" if rates else ""
    print(f"Removed {removed:,} prices{and_rates}. The next analysis does without them.")


def _billed_row(one: BilledGroup) -> dict[str, Any]:
    billed = one.billed
    hours = billed.hours or 1.0
    return {
        "account": one.account_id,
        "product": one.product,
        "firstDay": one.first_day.isoformat(),
        "lastDay": one.last_day.isoformat(),
        "rates": one.rates,
        "listUsd": round(billed.list_usd, 2),
        "effectiveUsd": round(billed.effective_usd, 2),
        "reservedShare": round(billed.reserved_hours / hours, 4),
        "plannedShare": round(billed.planned_hours / hours, 4),
    }


def _for_people(row: dict[str, Any]) -> dict[str, Any]:
    shares = {"reserved": row["reservedShare"], "planned": row["plannedShare"]}
    return row | {name: f"{share:.1%}" for name, share in shares.items()}


def _bar() -> Progress:
    columns = SpinnerColumn(), TextColumn("{task.description}")
    return Progress(*columns, console=Console(stderr=True), transient=True)


def _day(text: str | None, today: date) -> date:
    if text is None:
        return today
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InvalidInput(f"--as-of {text!r} is no day; expected one such as 2026-11-01") from None


def _print_loaded(loaded: Sequence[Loaded], output: Format) -> None:
    rows: list[dict[str, Any]] = [
        {
            "from": one.place,
            "prices": one.prices,
            "markets": one.markets,
            "date": one.oldest.isoformat(),
        }
        for one in loaded
    ]
    if output is Format.JSON:
        print_json({"loaded": rows})
        return
    print_rows(rows, LOADED, Format.TABLE)
    print(NEXT)
