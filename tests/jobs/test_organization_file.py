"""One file for organizations and accounts: applied again and again, clear about mistakes."""

from pathlib import Path

import pytest

from compute_optimizer.errors import Conflict, InvalidInput
from compute_optimizer.jobs.organization import Change
from compute_optimizer.jobs.organization_file import apply_file
from compute_optimizer.store import State
from compute_optimizer.store.accounts import list_rosters
from tests.enrolling import ALPHA, BETA, GAMMA, MANAGEMENT, ORGANIZATION, STRANGER, Desk
from tests.statements import statements_of

WHOLE = """
organizations:
  - organization_id: o-exampleorg1
    management_account_id: "111111111111"
    all_features: true
    trusted_access: true
    trusted_access_refused: true
    delegated_administrator_id: "222222222222"
    accounts:
      - account_id: "111111111111"
        name: Platform
      - account_id: "222222222222"
        name: Shop
        suspended: true
      - account_id: 333333333333
        metrics_unreadable: true
accounts:
  - account_id: "012345678901"
    name: Laboratory
"""


@pytest.fixture
def desk(state: State) -> Desk:
    return Desk(state)


@pytest.fixture
def small(sqlite_state: State) -> Desk:
    return Desk(sqlite_state)


def apply(desk: Desk, folder: Path, text: str) -> list[Change]:
    path = folder / "organization.yaml"
    path.write_text(text)
    return apply_file(desk.state, desk.clock, path)


def test_the_whole_file_is_applied_and_again_changes_nothing(desk: Desk, tmp_path: Path) -> None:
    assert apply(desk, tmp_path, WHOLE)
    with desk.state.reading() as connection:
        first, second = list_rosters(connection)
    assert first.organization is not None
    assert first.organization.organization_id == "o-exampleorg1"
    assert first.organization.management_account_id == MANAGEMENT
    assert first.organization.delegated_administrator_id == ALPHA
    assert first.organization.trusted_access
    assert first.organization.trusted_access_refused
    assert first.accounts[MANAGEMENT].name == "Platform"
    assert first.accounts[ALPHA].suspended
    assert first.accounts[BETA].metrics_unreadable
    assert second.accounts["012345678901"].name == "Laboratory"
    assert apply(desk, tmp_path, WHOLE) == []


def test_what_the_file_does_not_mention_stays(small: Desk, tmp_path: Path) -> None:
    text = (
        f"organizations: [{{management_account_id: '{MANAGEMENT}',"
        f" accounts: [{{account_id: '{ALPHA}'}}]}}]"
    )
    apply(small, tmp_path, text)
    small.delegate(ALPHA)
    small.break_metrics(ALPHA)
    small.opt_in(MANAGEMENT, includeMemberAccounts=True)
    assert apply(small, tmp_path, text) == []
    assert small.status(MANAGEMENT)["memberAccountsEnrolled"] is True
    assert small.listed(ALPHA) == {ALPHA: "Pending"}


def organization(management: str, *members: str, more: str = "") -> str:
    listed = "".join(f"\n      - account_id: '{one}'" for one in members)
    accounts = f"\n    accounts:{listed}" if members else ""
    return f"organizations:\n  - management_account_id: '{management}'{more}{accounts}\n"


def test_members_that_the_file_does_not_list_leave_with_their_enrollment(
    small: Desk, tmp_path: Path
) -> None:
    small.organize(ALPHA, BETA)
    small.opt_in_all()
    changes = apply(small, tmp_path, organization(MANAGEMENT, BETA))
    assert changes == [Change(ALPHA, "organization_id", ORGANIZATION, None)]
    assert small.status(ALPHA)["status"] == "Active"
    assert small.listed() == {BETA: "Active"}


def test_accounts_that_the_file_adds_join(small: Desk, tmp_path: Path) -> None:
    small.organize(ALPHA)
    small.opt_in_all()
    changes = apply(small, tmp_path, organization(MANAGEMENT, ALPHA, GAMMA))
    assert Change(GAMMA, "status", None, "Pending") in changes


def test_organizations_that_the_file_does_not_mention_are_left_alone(
    small: Desk, tmp_path: Path
) -> None:
    small.organize(ALPHA)
    apply(small, tmp_path, organization(BETA, GAMMA))
    with small.state.reading() as connection:
        rosters = list_rosters(connection)
    assert [set(one.accounts) for one in rosters] == [{MANAGEMENT, ALPHA}, {BETA, GAMMA}]


def test_an_account_moves_from_one_organization_to_another(small: Desk, tmp_path: Path) -> None:
    two = organization(MANAGEMENT, ALPHA) + organization(BETA).removeprefix("organizations:\n")
    apply(small, tmp_path, two)
    moved = organization(MANAGEMENT) + organization(BETA, ALPHA).removeprefix("organizations:\n")
    changes = apply(small, tmp_path, moved)
    assert changes == [Change(ALPHA, "organization_id", ORGANIZATION, f"o-{BETA}")]


def test_the_management_account_may_change_and_the_former_one_leave(
    small: Desk, tmp_path: Path
) -> None:
    small.organize(ALPHA)
    named = f"\n    organization_id: {ORGANIZATION}"
    apply(small, tmp_path, organization(ALPHA, BETA, more=named))
    with small.state.reading() as connection:
        rosters = list_rosters(connection)
    assert set(rosters[0].accounts) == {ALPHA, BETA}
    assert rosters[0].organization is not None
    assert rosters[0].organization.management_account_id == ALPHA


def test_null_ends_a_delegation(small: Desk, tmp_path: Path) -> None:
    small.organize(ALPHA)
    small.delegate(ALPHA)
    ended = organization(MANAGEMENT, ALPHA, more="\n    delegated_administrator_id: null")
    changes = apply(small, tmp_path, ended)
    assert changes == [Change(ORGANIZATION, "delegated_administrator_id", ALPHA, None)]


def test_a_standalone_account_may_become_a_member(small: Desk, tmp_path: Path) -> None:
    apply(small, tmp_path, f"accounts: [{{account_id: '{ALPHA}', name: Shop}}]")
    changes = apply(small, tmp_path, organization(MANAGEMENT, ALPHA))
    assert Change(ALPHA, "organization_id", None, ORGANIZATION) in changes


def test_however_many_accounts_a_file_lists_are_read_at_once(small: Desk, tmp_path: Path) -> None:
    def asked_for(*account_ids: str) -> int:
        asked = statements_of(small.state, "SELECT")
        entries = [f'{{account_id: "{one}", name: Named}}' for one in account_ids]
        assert apply(small, tmp_path, f"accounts: [{', '.join(entries)}]")
        return len(asked)

    assert asked_for(ALPHA) == asked_for(BETA, GAMMA, STRANGER)


def test_a_file_that_cannot_be_applied_changes_nothing(small: Desk, tmp_path: Path) -> None:
    small.organize(ALPHA)
    text = organization(BETA, GAMMA, ALPHA)
    with pytest.raises(Conflict, match=f"{ALPHA} belongs to {ORGANIZATION}"):
        apply(small, tmp_path, text)
    with small.state.reading() as connection:
        assert len(list_rosters(connection)) == 1


def test_a_file_that_names_another_organization_says_which_one_there_is(
    small: Desk, tmp_path: Path
) -> None:
    small.organize(ALPHA)
    told = f"{MANAGEMENT} belongs to {ORGANIZATION}; name that organization, or remove"

    with pytest.raises(Conflict, match=told):
        apply(small, tmp_path, WHOLE)


def test_a_member_of_an_organization_cannot_be_listed_as_standalone(
    small: Desk, tmp_path: Path
) -> None:
    small.organize(ALPHA)
    with pytest.raises(Conflict, match="standalone"):
        apply(small, tmp_path, f"accounts: [{{account_id: '{ALPHA}'}}]")


@pytest.mark.parametrize("text", ["", "{}", "organizations: []", "# nothing"])
def test_an_empty_file_changes_nothing(small: Desk, tmp_path: Path, text: str) -> None:
    small.organize(ALPHA)
    assert apply(small, tmp_path, text) == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("organisations: []", "unknown field `organisations`"),
        ("organizations: 1", r"Expected `array`.*`\$.organizations`"),
        ("- 1", "Expected `object`"),
        ("just text", "Expected `object`"),
        ("organizations: [{}]", "management_account_id"),
        (organization("11"), r"twelve digits.*`\$.organizations\[0\].management_account_id`"),
        (organization(MANAGEMENT, "abc"), r"`\$.organizations\[0\].accounts\[0\].account_id`"),
        ("accounts: [{account_id: 12345678901}]", "put it in quotes"),
        (organization(MANAGEMENT, more="\n    organization_id: acme"), "organization id 'acme'"),
        (organization(MANAGEMENT, more="\n    trusted_access: maybe"), r"\.trusted_access`"),
        (organization(MANAGEMENT, more="\n    colour: red"), "unknown field `colour`"),
        (organization(MANAGEMENT, ALPHA, ALPHA), f"{ALPHA} is listed more than once"),
        (
            organization(MANAGEMENT, ALPHA) + f"accounts: [{{account_id: '{ALPHA}'}}]",
            f"{ALPHA} is listed more than once",
        ),
        (
            organization(MANAGEMENT) + organization(MANAGEMENT).removeprefix("organizations:\n"),
            f"organization {ORGANIZATION} is listed more than once",
        ),
        (
            organization(MANAGEMENT, ALPHA)
            + organization(BETA, ALPHA).removeprefix("organizations:\n"),
            f"{ALPHA} is listed more than once",
        ),
        (
            organization(MANAGEMENT, ALPHA, more=f"\n    delegated_administrator_id: '{BETA}'"),
            r"none of the member accounts.*delegated_administrator_id`",
        ),
        (
            organization(
                MANAGEMENT, ALPHA, more=f"\n    delegated_administrator_id: '{MANAGEMENT}'"
            ),
            "none of the member accounts",
        ),
        (
            organization(MANAGEMENT, MANAGEMENT) + "        suspended: true\n",
            "cannot be suspended",
        ),
        (organization(MANAGEMENT) + "organizations: []", "'organizations' occurs more than once"),
        ("a: [", "no valid YAML"),
        ("a: !!python/object:os.system {}", "no valid YAML"),
    ],
)
def test_mistakes_are_named_with_their_place(
    small: Desk, tmp_path: Path, text: str, message: str
) -> None:
    with pytest.raises(InvalidInput, match=message) as caught:
        apply(small, tmp_path, text)
    assert "organization.yaml" in str(caught.value)


def test_a_file_that_is_not_there_is_named(small: Desk, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"missing\.yaml: cannot be read"):
        apply_file(small.state, small.clock, tmp_path / "missing.yaml")
    with pytest.raises(InvalidInput, match="cannot be read"):
        apply_file(small.state, small.clock, tmp_path)


def test_a_file_that_is_no_text_is_refused(small: Desk, tmp_path: Path) -> None:
    path = tmp_path / "organization.yaml"
    path.write_bytes(b"\xff\xfe\x00\x01")
    with pytest.raises(InvalidInput, match=r"organization\.yaml"):
        apply_file(small.state, small.clock, path)


def test_contradictions_within_an_organization_are_refused(small: Desk, tmp_path: Path) -> None:
    text = organization(MANAGEMENT, more="\n    all_features: false\n    trusted_access: true")
    with pytest.raises(Conflict, match="all features"):
        apply(small, tmp_path, text)


def test_a_stranger_needs_no_file(small: Desk) -> None:
    assert small.opt_in(STRANGER)["status"] == "Pending"
