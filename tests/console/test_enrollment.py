"""The page of enrollment: members by status and page, reasons, and what an organization changes."""

import html
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from compute_optimizer.jobs import organization
from compute_optimizer.jobs.enroll import advance_enrollments
from compute_optimizer.store.enrollments import standing_of
from tests.console.conftest import ACCOUNT, House, housed
from tests.console.visiting import Visit, text, words

HERE = "/console/enrollment"
ORGANIZATION = "o-111111111111"
MEMBERS = [f"2{number:011d}" for number in range(230)]
"""Three pages of the operation, which lists 100."""

UNREADABLE = MEMBERS[7]
SUSPENDED = MEMBERS[8]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An organization whose members are opted in, but for some."""
    folder = tmp_path_factory.mktemp("organization")
    with housed(folder, auth="off") as house:
        state, clock = house.state, house.clock
        organization.set_management(state, clock, ACCOUNT)
        organization.add_accounts(state, clock, MEMBERS, ORGANIZATION)
        organization.make_metrics_unreadable(state, UNREADABLE, True)
        organization.suspend_accounts(state, [SUSPENDED], True)
        visit = house.visit()
        visit.sign_in(ACCOUNT)
        visit.send(HERE, status="Active", members="yes")
        advance_enrollments(state, clock)
    return folder


@pytest.fixture
def house(folder: Path, tmp_path: Path) -> Iterator[House]:
    """The same, for one test."""
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    with housed(tmp_path, auth="off") as found:
        yield found


@pytest.fixture
def visit(house: House) -> Visit:
    """The management account, signed in."""
    found = house.visit()
    found.sign_in(ACCOUNT)
    return found


def listed(page: str) -> list[str]:
    return re.findall(r'<tr><th scope="row" class="mono">(\d{12})', page)


def test_every_member_is_on_one_page(visit: Visit) -> None:
    found: list[str] = []
    there: str | None = HERE
    while there:
        page = text(visit.get(there))
        found += listed(page)
        following = re.search(r'rel="next" href="([^"#]+)', page)
        there = html.unescape(following[1]) if following else None

    assert found == MEMBERS
    assert "All 230" in page
    assert "First page" in page


@pytest.mark.parametrize(
    ("status", "members", "said"),
    [
        ("Failed", [UNREADABLE], "Failed to create service-linked role The account's metrics"),
        ("Pending", [SUSPENDED], "The account is being enrolled. The check runs within a second"),
        ("Inactive", [], "None is Inactive"),
    ],
)
def test_members_are_filtered_by_status_with_reason_and_remedy(
    visit: Visit, status: str, members: list[str], said: str
) -> None:
    response = visit.get(f"{HERE}?status={status}")

    assert listed(text(response)) == members
    assert said in words(response)
    # 230 members, of which one failed and one waits.
    for one, number in {"Active": 228, "Failed": 1, "Pending": 1, "Inactive": 0}.items():
        assert f"{one} {number} " in words(response)


def test_one_member_is_found_by_its_id(house: House, visit: Visit) -> None:
    assert listed(text(visit.get(f"{HERE}?find={SUSPENDED}"))) == [SUSPENDED]
    assert "Suspended" in words(visit.get(f"{HERE}?find={SUSPENDED}"))
    stranger = "999999999999"
    organization.add_accounts(house.state, house.clock, [stranger])
    for unknown in (stranger, ACCOUNT + "1", "x"):
        response = visit.get(f"{HERE}?find={unknown}")
        assert listed(text(response)) == []
        assert f"No member account {unknown}" in words(response)


def test_trusted_access_is_turned_off_and_on(house: House, visit: Visit) -> None:
    sent = visit.send(f"{HERE}/organization", change="trusted-access off")
    page = words(visit.get(sent.headers["location"]))

    assert sent.status == 303
    assert "Trusted access is off, so they cannot be listed" in page
    member = house.visit()
    member.sign_in(MEMBERS[0])
    assert "Trusted access of the organization was turned off." in words(member.get(HERE))
    visit.send(f"{HERE}/organization", change="trusted-access on")
    page = words(visit.get(HERE))
    assert "Trusted access on" in page
    # Every member was made Inactive, the one that failed with them; turning it on opts nobody in.
    assert "Inactive 230" in page
    assert '"operation":"accounts trusted-access off"' in house.audit


def test_a_member_is_made_the_delegated_administrator_and_unmade(
    house: House, visit: Visit
) -> None:
    visit.send(f"{HERE}/organization", change="delegate", delegate=MEMBERS[3])
    assert f"Delegated administrator {MEMBERS[3]}" in words(visit.get(HERE))
    member = house.visit()
    member.sign_in(MEMBERS[3])
    page = words(member.get(HERE))
    assert "Member accounts" in page
    # It sees them, and changes nothing of the organization.
    assert "are changed by the management account" in page
    visit.send(f"{HERE}/organization", change="undelegate")
    assert "Delegated administrator none" in words(visit.get(HERE))


@pytest.mark.parametrize(
    ("account", "said"),
    [
        (ACCOUNT, "is the management account; only a member account can be"),
        (SUSPENDED, "is suspended and cannot be the delegated administrator"),
        ("999999999999", "is no member of the organization"),
        ("12", "expected twelve digits"),
        ("444444444444", "does not belong to o-111111111111"),
    ],
)
def test_who_cannot_be_delegated_is_told_at_the_field(
    house: House, visit: Visit, account: str, said: str
) -> None:
    other = ["333333333333", "444444444444"]
    organization.set_management(house.state, house.clock, other[0])
    organization.add_accounts(house.state, house.clock, other[1:], "o-333333333333")
    response = visit.send(f"{HERE}/organization", change="delegate", delegate=account)
    page = text(response)

    assert response.status in (400, 409)
    problem = re.search(r'id="delegate-problem">([^<]*)<', page)
    assert problem
    assert said in html.unescape(problem[1])
    assert re.search(rf'id="delegate"[^>]* value="{account}" aria-invalid="true"', page)
    for manager in (ACCOUNT, other[0]):
        with house.state.reading() as connection:
            found = standing_of(connection, manager).organization
        assert found is not None
        assert found.delegated_administrator_id is None


def test_a_member_cannot_change_the_organization(house: House, visit: Visit) -> None:
    member = house.visit()
    member.sign_in(MEMBERS[0])
    for change in ("trusted-access off", "undelegate", "delegate", "all"):
        response = member.send(f"{HERE}/organization", change=change, delegate=MEMBERS[0])
        assert response.status == (400 if change == "all" else 403)
    with house.state.reading() as connection:
        found = standing_of(connection, ACCOUNT).organization
    assert found is not None
    assert found.trusted_access
    assert found.delegated_administrator_id is None


def test_trusted_access_that_cannot_be_had_is_told_on_the_page(house: House, visit: Visit) -> None:
    organization.enable_all_features(house.state, house.clock, ORGANIZATION, False)
    response = visit.send(f"{HERE}/organization", change="trusted-access on")

    assert response.status == 409
    assert "has not all features enabled" in words(response)
    refused = visit.send(HERE, status="Active", members="yes")
    assert refused.status == 400
    assert 'name="members" value="yes" checked' in text(refused)


def test_a_key_that_may_only_read_changes_no_organization(secured: House) -> None:
    organization.set_management(secured.state, secured.clock, ACCOUNT)
    key, visit = secured.new_key("compute-optimizer:Get*"), secured.visit()
    visit.post(
        "/console/sign-in",
        access_key_id=key.access_key_id,
        secret_access_key=key.secret_access_key,
    )

    assert "Turn trusted access" not in words(visit.get(HERE))
    response = visit.send(f"{HERE}/organization", change="trusted-access on")
    assert response.status == 403
    assert "compute-optimizer:UpdateEnrollmentStatus" in words(response)


def test_nothing_of_a_suspended_account_is_shown_to_itself(house: House) -> None:
    visit = house.visit()
    visit.sign_in(SUSPENDED)
    response = visit.get("/console/")

    assert response.status == 403
    assert f"Account {SUSPENDED} is suspended" in words(response)
    # It is opted in: that would not help.
    assert "Opt the account in" not in words(response)
