"""`compute-optimizer prices`: newer list prices, and prices of one's own."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any

import typer
from rich.progress import Progress, SpinnerColumn, TextColumn

from compute_optimizer.app import Application, opened
from compute_optimizer.cli.auditing import record_command
from compute_optimizer.cli.collect import ProfileOption
from compute_optimizer.cli.figures import percent
from compute_optimizer.cli.option_values import day_of
from compute_optimizer.cli.output import (
    DataDirOption,
    Format,
    FormatOption,
    print_json,
    print_rows,
    settings_for,
)
from compute_optimizer.cli.progress import bars
from compute_optimizer.errors import InvalidInput
from compute_optimizer.jobs.effective import import_billing
from compute_optimizer.jobs.prices import Lists, Loaded, import_sheet, load_lists
from compute_optimizer.model.counted import counted
from compute_optimizer.sources.prices import ENDPOINTS, PriceCache, PricingApi, check_endpoint
from compute_optimizer.store.billed_usage import BilledGroup, billed_groups, remove_usage
from compute_optimizer.store.own_prices import Layer, price_groups, remove_prices

commands = typer.Typer(
    help="Prices that count before those that the program ships.", no_args_is_help=True
)

LOADED = {
    "from": "From",
    "prices": "Prices",
    "markets": "Markets",
    "date": "Of",
    "read": "Read",
}
GROUPS = {
    "layer": "Layer",
    "product": "Product",
    "region": "Region",
    "platform": "Platform",
    "prices": "Prices",
    "validFrom": "From",
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

RegionOption = Annotated[
    list[str] | None, typer.Option(help="Region whose prices to take in; may be repeated.")
]
AgainOption = Annotated[
    bool, typer.Option("--again", help="Read from the web also what was read today.")
]

NEXT = "They count from the next analysis on."


@commands.command("load")
def load(
    region: RegionOption = None,
    file: Annotated[
        list[str] | None, typer.Option(help="CSV file of the AWS Price List; may be repeated.")
    ] = None,
    again: AgainOption = False,
    output: FormatOption = Format.TABLE,
    data_dir: DataDirOption = None,
) -> None:
    """Take in the AWS Price List of EC2, RDS, Lambda and ECS, from the web or from files."""
    settings = settings_for(data_dir)
    files, regions = file or [], region or []
    if not files and not regions:
        raise InvalidInput("which prices? Give --region us-east-1, or --file of a price list")
    with opened(settings) as application:
        lists = Lists(
            cache=_cache(application, again),
            most_mb=settings.price_max_mb,
            files=files,
            regions=regions,
            base=settings.price_list_url,
        )
        loaded = _load(application, lists)
        record_command(application, "prices load", [*files, *regions])
    _print_loaded(loaded, output)


@commands.command("fetch")
def fetch(
    region: RegionOption = None,
    whole: Annotated[
        bool, typer.Option("--whole-lists", help="Find and read the whole lists, as `load` does.")
    ] = False,
    as_of: Annotated[
        str | None, typer.Option(help="Day on which the whole lists held; today by default.")
    ] = None,
    profile: ProfileOption = None,
    endpoint_region: Annotated[
        str, typer.Option(help=f"Where to ask: {', '.join(ENDPOINTS)}.")
    ] = ENDPOINTS[0],
    again: AgainOption = False,
    output: FormatOption = Format.TABLE,
    data_dir: DataDirOption = None,
) -> None:
    """Take in the AWS Price List by its API: a few MB of products, or whole lists of a past day."""
    settings = settings_for(data_dir)
    if not region:
        raise InvalidInput("which prices? Give --region us-east-1")
    if as_of and not whole:
        raise InvalidInput("the API tells products of today only; add --whole-lists to --as-of")
    with opened(settings) as application:
        today = application.clock.now().date()
        lists = Lists(
            cache=_cache(application, again),
            most_mb=settings.price_max_mb,
            regions=region,
            api=PricingApi(profile, check_endpoint(endpoint_region), settings.price_max_mb),
            whole_as_of=_read_on(as_of, today) if whole else None,
        )
        loaded = _load(application, lists)
        record_command(application, "prices fetch", region)
    _print_loaded(loaded, output)


@commands.command("import")
def import_(
    sheet: Annotated[str, typer.Argument(help="CSV file: region, type, usd, product, platform.")],
    as_of: Annotated[
        str | None, typer.Option(help="Day from which the prices hold; today by default.")
    ] = None,
    output: FormatOption = Format.TABLE,
    data_dir: DataDirOption = None,
) -> None:
    """Take in a price sheet: what you pay, in the place of list prices."""
    with opened(settings_for(data_dir)) as application:
        today = application.clock.now().date()
        loaded = import_sheet(application.state, sheet, _read_on(as_of, today))
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
                "validFrom": one.date.isoformat(),
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
    before: Annotated[
        str | None, typer.Option(help="Only what newer prices had replaced by this day.")
    ] = None,
    data_dir: DataDirOption = None,
) -> None:
    """Remove own prices, so that those that the program ships hold again, and what was billed."""
    with opened(settings_for(data_dir)) as application:
        layers = list(Layer) if layer is None else [layer]
        day = None if before is None else day_of("--before", before)
        with application.state.writing() as connection:
            removed = remove_prices(connection, layers, day)
            rates = remove_usage(connection) if layer is None and day is None else 0
        record_command(application, "prices remove", [one.value for one in layers])
    and_rates = f" and {rates:,} effective rates" if rates else ""
    print(f"Removed {counted(removed, 'prices')}{and_rates}. The next analysis does without them.")


def _cache(application: Application, again: bool) -> PriceCache:
    today = application.clock.now().date()
    return PriceCache(application.settings.price_cache_dir, today, again)


def _load(application: Application, lists: Lists) -> list[Loaded]:
    with _bar() as bar:
        task = bar.add_task("")
        return load_lists(
            application.state,
            lists,
            lambda place, lines: bar.update(task, description=f"{place}: {lines:,} lines"),
        )


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
    return row | {name: percent(share) for name, share in shares.items()}


def _read_on(as_of: str | None, today: date) -> date:
    return today if as_of is None else day_of("--as-of", as_of)


def _bar() -> Progress:
    return bars(SpinnerColumn(), TextColumn("{task.description}"))


def _print_loaded(loaded: Sequence[Loaded], output: Format) -> None:
    rows: list[dict[str, Any]] = [
        {
            "from": one.place,
            "prices": one.prices,
            "markets": one.markets,
            "date": one.oldest.isoformat(),
            "read": "earlier today" if one.cached else "now",
        }
        for one in loaded
    ]
    if output is Format.JSON:
        print_json({"loaded": rows})
        return
    print_rows(rows, LOADED, Format.TABLE)
    print(NEXT)
