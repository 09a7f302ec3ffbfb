"""`compute-optimizer risk`: how much risk recommendations may take, and for what."""

from typing import Annotated, Any

import typer

from compute_optimizer.app import opened
from compute_optimizer.cli.auditing import record_command
from compute_optimizer.cli.option_values import share_of
from compute_optimizer.cli.output import (
    DataDirOption,
    Format,
    FormatOption,
    print_json,
    print_rows,
    settings_for,
)
from compute_optimizer.errors import InvalidInput, NotFound
from compute_optimizer.model.risk_rules import RiskRule, RiskScope, check_rule
from compute_optimizer.store import risk as store

commands = typer.Typer(
    help="How much risk recommendations may take: rules by scope.", no_args_is_help=True
)

HEADINGS = {
    "scope": "Scope",
    "value": "Of",
    "cap": "Highest risk",
    "incidentUsd": "USD a violation",
    "profile": "Profile",
}

OrganizationOption = Annotated[str | None, typer.Option(help="Id of an organization.")]
AccountOption = Annotated[str | None, typer.Option(help="Account: 12 digits.")]
TagOption = Annotated[str | None, typer.Option(help="Tag, such as env=prod.")]
ResourceOption = Annotated[str | None, typer.Option(help="ARN of a resource.")]


@commands.command("set")
def set_rule(
    organization: OrganizationOption = None,
    account: AccountOption = None,
    tag: TagOption = None,
    resource: ResourceOption = None,
    cap: Annotated[str | None, typer.Option(help="Highest risk of an option: 0.01, or 1%.")] = None,
    incident_usd: Annotated[
        float | None, typer.Option(help="What one violation within 14 days is held to cost.")
    ] = None,
    profile: Annotated[str | None, typer.Option(help="published or calibrated.")] = None,
    data_dir: DataDirOption = None,
) -> None:
    """Set the rule of one organization, account, tag or resource; the next analysis follows it."""
    scope, value = _scope(organization, account, tag, resource)
    rule = RiskRule(
        scope, value, None if cap is None else share_of("--cap", cap), incident_usd, profile
    )
    check_rule(rule)
    with opened(settings_for(data_dir)) as application:
        with application.state.writing() as connection:
            store.save_rule(connection, rule)
        record_command(application, "risk set", [value], scope=scope.value)
    print(f"Set for {scope.value} {value}. It takes effect with the next analysis.")


@commands.command("remove")
def remove_rule(
    organization: OrganizationOption = None,
    account: AccountOption = None,
    tag: TagOption = None,
    resource: ResourceOption = None,
    data_dir: DataDirOption = None,
) -> None:
    """Remove the rule of one organization, account, tag or resource."""
    scope, value = _scope(organization, account, tag, resource)
    with opened(settings_for(data_dir)) as application:
        with application.state.writing() as connection:
            if not store.remove_rule(connection, scope, value):
                raise NotFound(
                    f"there is no rule for {scope.value} {value}; `compute-optimizer risk list` "
                    "shows them all"
                )
        record_command(application, "risk remove", [value], scope=scope.value)
    print(f"Removed for {scope.value} {value}. It takes effect with the next analysis.")


@commands.command("list")
def list_rules(output: FormatOption = Format.TABLE, data_dir: DataDirOption = None) -> None:
    """Print every rule, from wide to narrow scopes."""
    with opened(settings_for(data_dir)) as application, application.state.reading() as connection:
        rows = [_row(rule) for rule in store.all_rules(connection)]
    if output is Format.JSON:
        print_json({"rules": rows})
    elif rows:
        shown = [_for_people(row) for row in rows]
        print_rows(shown, HEADINGS, Format.TABLE, "Rules of risk; narrow scopes before wide ones")
    else:
        print("There is no rule: the settings hold for every resource.")


def _row(rule: RiskRule) -> dict[str, Any]:
    return {
        "scope": rule.scope.value,
        "value": rule.value,
        "cap": rule.cap,
        "incidentUsd": rule.incident_usd,
        "profile": rule.profile,
    }


def _for_people(row: dict[str, Any]) -> dict[str, Any]:
    cap = row["cap"]
    return row | {"cap": None if cap is None else f"{cap * 100:g} %"}


def _scope(
    organization: str | None, account: str | None, tag: str | None, resource: str | None
) -> tuple[RiskScope, str]:
    named = {
        RiskScope.ORGANIZATION: organization,
        RiskScope.ACCOUNT: account,
        RiskScope.TAG: tag,
        RiskScope.RESOURCE: resource,
    }
    given = [(scope, value) for scope, value in named.items() if value]
    if len(given) != 1:
        raise InvalidInput(
            "what is the rule for? Give one of --organization, --account, --tag and --resource"
        )
    return given[0]
