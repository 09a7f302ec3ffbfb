"""`compute-optimizer collect`: bring in inventory and metrics from where they are measured."""

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Annotated, Any

import typer

from compute_optimizer.app import Application, aws_source, opened, tiles_of
from compute_optimizer.cli.collecting import (
    enroll,
    estimate_as_json,
    print_estimate,
    print_report,
    report_as_json,
)
from compute_optimizer.cli.output import (
    DataDirOption,
    Format,
    FormatOption,
    print_json,
    settings_for,
)
from compute_optimizer.cli.progress import bar_on
from compute_optimizer.config import Settings
from compute_optimizer.errors import InvalidInput, SourceUnavailable
from compute_optimizer.interfaces import Clock, MetricSource
from compute_optimizer.jobs.analyze import resource_type as type_known_as
from compute_optimizer.jobs.collect import collect
from compute_optimizer.jobs.collect import estimate as estimate_of
from compute_optimizer.jobs.collect_run import (
    CONCURRENCY,
    DEFAULT_DAYS,
    CollectReport,
    CollectRequest,
)
from compute_optimizer.model.spans import CENTURY_DAYS
from compute_optimizer.sources.aws import Access, check_collected

commands = typer.Typer(
    help="Collect inventory and metrics from where they are measured.", no_args_is_help=True
)

NO_MORE: Mapping[str, Any] = MappingProxyType({})

ProfileOption = Annotated[
    str | None,
    typer.Option("--profile", help="Profile of the AWS configuration. Default: as boto3 finds it."),
]
RoleOption = Annotated[
    str,
    typer.Option(
        "--role",
        help="Role to assume in every other account, by name with its path; {account} is its id.",
    ),
]
ExternalIdOption = Annotated[
    str, typer.Option("--external-id", help="External id that the role asks for.")
]
AccountsOption = Annotated[
    str,
    typer.Option(
        "--accounts",
        help="Account ids with commas between, or `all` of the organization. Default: the own one.",
    ),
]
RegionsOption = Annotated[
    str,
    typer.Option("--regions", help="Regions with commas between. Default: all that are enabled."),
]
TypesOption = Annotated[
    str,
    typer.Option("--types", help="Resource types with commas between, such as Ec2Instance."),
]
DaysOption = Annotated[
    int | None,
    typer.Option(
        min=1,
        max=CENTURY_DAYS,
        help=f"Days until now. Default: {DEFAULT_DAYS}, unless --since is given.",
    ),
]
SinceOption = Annotated[
    datetime | None, typer.Option(help="First moment that is wanted, in UTC; instead of --days.")
]
ConcurrencyOption = Annotated[
    int, typer.Option(min=1, max=64, help="Calls that are under way at once.")
]
EstimateOption = Annotated[
    bool, typer.Option("--estimate", help="Say what it would take, and collect nothing.")
]
AgainOption = Annotated[
    bool, typer.Option("--again", help="Read the whole time again, also what is stored.")
]
EnrollOption = Annotated[bool, typer.Option("--enroll", help="Opt in the accounts that are not.")]


@dataclass(frozen=True, slots=True)
class Wish:
    """What was typed, whatever the source."""

    types: str
    days: int | None
    since: datetime | None
    concurrency: int
    estimate: bool = False
    again: bool = False
    keep_gone: bool = False
    enroll: bool = False


@dataclass(frozen=True, slots=True)
class NamedAccess:
    """What was typed about credentials, accounts and Regions of AWS."""

    profile: str | None
    role: str
    external_id: str
    accounts: str
    regions: str


def access_of(settings: Settings, named: NamedAccess, concurrency: int) -> Access:
    """Return the access to AWS that was typed, at the pace of the settings."""
    return Access(
        profile=named.profile,
        role=named.role,
        external_id=named.external_id,
        accounts=listed(named.accounts),
        regions=listed(named.regions),
        requests_per_second=settings.collect_requests_per_second,
        connections=concurrency,
    )


@commands.command()
def aws(
    profile: ProfileOption = None,
    role: RoleOption = "",
    external_id: ExternalIdOption = "",
    accounts: AccountsOption = "",
    regions: RegionsOption = "",
    types: TypesOption = "",
    days: DaysOption = None,
    since: SinceOption = None,
    concurrency: ConcurrencyOption = CONCURRENCY,
    estimate: EstimateOption = False,
    again: AgainOption = False,
    keep_gone: Annotated[
        bool, typer.Option("--keep-gone", help="Keep resources that AWS no longer has.")
    ] = False,
    enroll_accounts: EnrollOption = False,
    output: FormatOption = Format.TABLE,
    data_dir: DataDirOption = None,
) -> None:
    """Collect from AWS: the inventory, and the CloudWatch samples that are missing.

    The exit code is 6 where an account, a Region or a type could not be read; the rest is kept.
    """
    check_collected(known_types(types) or ())
    settings = settings_for(data_dir)
    named = NamedAccess(profile, role, external_id, accounts, regions)
    access = access_of(settings, named, concurrency)
    wish = Wish(types, days, since, concurrency, estimate, again, keep_gone, enroll_accounts)
    with opened(settings) as application, closing(aws_source(application, access)) as source:
        report = carry_out(application, source, wish)
    show(report, wish, output)


def carry_out(application: Application, source: MetricSource, wish: Wish) -> CollectReport:
    """Collect from a source, or say what it would take, opting accounts in where that is wished."""
    request = CollectRequest(
        since=first_moment(application.clock, wish.days, wish.since),
        resource_types=known_types(wish.types),
        overlap=timedelta(hours=application.settings.collect_overlap_hours),
        again=wish.again,
        keep_gone=wish.keep_gone,
        enrolling=wish.enroll and wish.estimate,
        concurrency=wish.concurrency,
    )
    if wish.enroll and not wish.estimate:
        enroll(application, source.accounts())
    return run(application, source, request, only_estimate=wish.estimate)


def show(
    report: CollectReport, wish: Wish, output: Format, more: Mapping[str, Any] = NO_MORE
) -> None:
    """Print a report, with what a source adds for programs; end with 6 where anything failed."""
    if output is Format.JSON:
        print_json((estimate_as_json if wish.estimate else report_as_json)(report) | dict(more))
    else:
        (print_estimate if wish.estimate else print_report)(report)
    if report.failures:
        raise typer.Exit(SourceUnavailable.exit_code)


def run(
    application: Application,
    source: MetricSource,
    request: CollectRequest,
    *,
    only_estimate: bool = False,
) -> CollectReport:
    """Collect, or say what it would take, showing how far it is."""
    do = estimate_of if only_estimate else collect
    tiles = tiles_of(application.settings)
    with bar_on() as progress:
        return do(application.state, tiles, application.clock, source, request, progress)


def listed(words: str) -> tuple[str, ...]:
    """Return the words between commas."""
    return tuple(dict.fromkeys(word.strip() for word in words.split(",") if word.strip()))


def known_types(words: str) -> frozenset[str] | None:
    """Return the resource types between commas, None for all; raise InvalidInput for others."""
    return frozenset(type_known_as(word).name for word in listed(words)) or None


def first_moment(clock: Clock, days: int | None, since: datetime | None) -> datetime:
    """Return from when on samples are wanted; raise InvalidInput where that is said twice."""
    if since is None:
        return clock.now() - timedelta(days=days or DEFAULT_DAYS)
    if days is not None:
        raise InvalidInput("--days and --since both say when to begin; give one of them")
    moment = since if since.tzinfo else since.replace(tzinfo=UTC)
    if moment >= clock.now():
        raise InvalidInput(
            f"--since {moment:%Y-%m-%d %H:%M} lies in the future; give a past moment"
        )
    return moment
