"""`compute-optimizer accounts` and `purge`, as somebody types them."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from compute_optimizer import cli
from compute_optimizer.errors import ComputeOptimizerError, Conflict, InvalidInput, NotFound
from tests.enrolling import ALPHA, BETA, MANAGEMENT, ORGANIZATION, STRANGER


class Commands:
    """Runs commands on one data folder."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir

    def __call__(self, *words: str) -> str:
        """Run a command and return what it prints; raise the error meant for people."""
        result = CliRunner().invoke(cli.app, [*words, "--data-dir", str(self.data_dir)])
        if isinstance(result.exception, ComputeOptimizerError):
            raise result.exception
        assert result.exit_code == 0, result.output
        return result.output

    def accounts(self, *words: str) -> Any:
        """Run an `accounts` command with --output json."""
        return json.loads(self("accounts", *words, "--output", "json"))

    def column(self, name: str) -> dict[str, Any]:
        """Return one attribute of every account as `accounts list` tells it."""
        return {one["accountId"]: one[name] for one in self.accounts("list")["accounts"]}


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Commands:
    monkeypatch.setenv("COLUMNS", "200")
    return Commands(tmp_path)


@pytest.fixture(scope="module")
def organization(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with an organization: to be copied."""
    made = Commands(tmp_path_factory.mktemp("organization"))
    made.accounts("set-management", MANAGEMENT)
    made.accounts("add", ALPHA, BETA)
    return made.data_dir


@pytest.fixture
def organized(run: Commands, organization: Path) -> Commands:
    shutil.copytree(organization, run.data_dir, dirs_exist_ok=True)
    return run


def change(subject: str, attribute: str, before: Any, after: Any) -> dict[str, Any]:
    return {"subject": subject, "attribute": attribute, "before": before, "after": after}


def test_an_organization_is_made_enrolled_and_listed(organized: Commands) -> None:
    enrolled = organized.accounts("enroll", MANAGEMENT, "--include-members")
    assert [(one["accountId"], one["status"]) for one in enrolled] == [(MANAGEMENT, "Active")]
    listed = organized.accounts("list")
    assert listed["organizations"] == [
        {
            "organizationId": ORGANIZATION,
            "managementAccountId": MANAGEMENT,
            "delegatedAdministratorId": None,
            "allFeatures": True,
            "trustedAccess": True,
            "trustedAccessRefused": False,
        }
    ]
    member = listed["accounts"][1]
    assert member.pop("lastUpdatedTimestamp")
    assert member == {
        "accountId": ALPHA,
        "status": "Active",
        "statusReason": None,
        "name": "",
        "organizationId": ORGANIZATION,
        "role": "member",
        "suspended": False,
        "metricsUnreadable": False,
    }


def test_people_get_a_table_per_organization(organized: Commands) -> None:
    organized("accounts", "fail", "metrics", "on", "--account", BETA)
    organized("accounts", "enroll", MANAGEMENT, "--include-members")
    organized("accounts", "enroll", STRANGER)
    printed = organized("accounts", "list")
    assert f"{ORGANIZATION}: trusted access on" in printed
    assert "Failed to create service-linked role" in printed
    assert "metrics unreadable (switch)" in printed
    assert "Standalone accounts" in printed


def test_the_first_account_without_an_organization_stands_alone(run: Commands) -> None:
    run.accounts("add", STRANGER, "--name", "Laboratory")
    assert run.column("role") == {STRANGER: "standalone"}
    assert run.column("name") == {STRANGER: "Laboratory"}


def test_standalone_accounts_may_live_beside_an_organization(organized: Commands) -> None:
    organized.accounts("add", STRANGER, "--standalone")
    assert organized.column("organizationId")[STRANGER] is None


def test_an_organization_can_be_named(run: Commands) -> None:
    run.accounts("set-management", MANAGEMENT, "--organization", "o-exampleorg1")
    run.accounts("set-management", ALPHA, "--organization", "o-exampleorg2")
    with pytest.raises(InvalidInput, match="--organization"):
        run("accounts", "add", BETA)
    run.accounts("add", BETA, "--organization", "o-exampleorg2")
    assert run.column("organizationId")[BETA] == "o-exampleorg2"


def test_accounts_are_suspended_resumed_and_removed(organized: Commands) -> None:
    changed = [change(one, "suspended", False, True) for one in (ALPHA, BETA)]
    assert organized.accounts("suspend", ALPHA, BETA) == changed
    organized.accounts("resume", BETA)
    assert organized.column("suspended") == {MANAGEMENT: False, ALPHA: True, BETA: False}
    organized.accounts("remove", ALPHA, BETA)
    assert set(organized.column("role")) == {MANAGEMENT}


def test_roles_change(organized: Commands) -> None:
    organized.accounts("delegate", ALPHA)
    assert organized.column("role")[ALPHA] == "delegated administrator"
    organized.accounts("undelegate")
    assert organized.column("role")[ALPHA] == "member"
    organized.accounts("set-management", BETA)
    assert organized.column("role") == {MANAGEMENT: "member", ALPHA: "member", BETA: "management"}


def test_trusted_access_and_features_are_turned_on_and_off(organized: Commands) -> None:
    on = [change(ORGANIZATION, "trusted_access", False, True)]
    assert organized.accounts("trusted-access", "on") == on
    assert organized.accounts("trusted-access", "on") == []
    assert organized("accounts", "trusted-access", "on") == "Nothing changed.\n"
    assert organized.accounts("all-features", "off") == [
        change(ORGANIZATION, "all_features", True, False),
        change(ORGANIZATION, "trusted_access", True, False),
    ]


def test_the_switches_force_each_failure(organized: Commands) -> None:
    organized.accounts("fail", "metrics", "on", "--account", ALPHA)
    (failed,) = organized.accounts("enroll", ALPHA)
    assert failed["statusReason"] == "Failed to create service-linked role"
    organized.accounts("fail", "trusted-access", "on")
    (failed,) = organized.accounts("enroll", MANAGEMENT, "--include-members")
    assert failed["statusReason"] == "Failed to enable trusted access"
    organized.accounts("fail", "trusted-access", "off")
    organized.accounts("fail", "metrics", "off", "--account", ALPHA)
    organized.accounts("enroll", MANAGEMENT, "--include-members")
    assert set(organized.column("status").values()) == {"Active"}


def test_opting_out_from_the_command_line(run: Commands) -> None:
    run.accounts("enroll", STRANGER)
    (gone,) = run.accounts("enroll", STRANGER, "--opt-out")
    assert gone["status"] == "Inactive"


def test_a_file_is_applied_and_again_changes_nothing(run: Commands, tmp_path: Path) -> None:
    file = tmp_path / "organization.yaml"
    file.write_text(f"organizations: [{{management_account_id: '{MANAGEMENT}'}}]")
    assert run.accounts("apply", str(file))
    assert run.accounts("apply", str(file)) == []
    assert run.column("role") == {MANAGEMENT: "management"}


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (InvalidInput, ("add", "12")),
        (InvalidInput, ("add", STRANGER, "1" * 12, "--name", "Both")),
        (InvalidInput, ("add", STRANGER, "--standalone", "--organization", ORGANIZATION)),
        (Conflict, ("add", ALPHA)),
        (NotFound, ("remove", STRANGER)),
        (Conflict, ("remove", MANAGEMENT)),
        (Conflict, ("suspend", MANAGEMENT)),
        (Conflict, ("delegate", MANAGEMENT)),
        (NotFound, ("trusted-access", "on", "--organization", "o-unknownorg1")),
        (InvalidInput, ("fail", "metrics", "on")),
        (InvalidInput, ("fail", "trusted-access", "on", "--account", ALPHA)),
        (InvalidInput, ("enroll", "12")),
        (InvalidInput, ("enroll", ALPHA, "--include-members")),
        (InvalidInput, ("enroll", MANAGEMENT, "--include-members", "--opt-out")),
        (InvalidInput, ("apply", "missing.yaml")),
    ],
)
def test_what_cannot_be_is_refused_without_a_change(
    organized: Commands, error: type[Exception], words: tuple[str, ...]
) -> None:
    before = organized.accounts("list")
    with pytest.raises(error):
        organized("accounts", *words)
    assert organized.accounts("list") == before


@pytest.mark.parametrize(
    ("words", "code"), [(("remove", STRANGER), 3), (("add", "12"), 2), (("remove", "x" * 12), 3)]
)
def test_mistakes_end_with_their_exit_code_and_no_traceback(
    run: Commands,
    words: tuple[str, ...],
    code: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder = str(run.data_dir)
    monkeypatch.setattr("sys.argv", ["compute-optimizer", "accounts", *words, "--data-dir", folder])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == code
    assert capsys.readouterr().err.startswith("error: ")


def test_purge_tells_whom_it_purged(run: Commands, tmp_path: Path) -> None:
    assert run("purge") == "Nothing is due.\n"
    assert json.loads(run("purge", "--grace-days", "0", "--output", "json")) == []


def test_purge_refuses_a_grace_period_that_is_none(run: Commands) -> None:
    for days in ("-1", "nan", "inf"):
        with pytest.raises(InvalidInput, match="opt_out_grace_days"):
            run("purge", "--grace-days", days)


def test_a_grace_period_of_a_century_purges_nothing(run: Commands) -> None:
    assert run("purge", "--grace-days", "36525") == "Nothing is due.\n"
