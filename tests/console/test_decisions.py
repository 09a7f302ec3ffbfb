"""Deciding in the console: the panel of a resource, the page of decisions, and who may do what."""

import csv
import html
import io
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from compute_optimizer.console.kinds import title_of
from compute_optimizer.jobs import decisions
from compute_optimizer.model.decision import Advice, State
from tests.console.conftest import House, housed
from tests.console.visiting import Visit, text, words
from tests.deciding import KeptOffice, Office
from tests.enrolling import ALPHA, BETA

DECISIONS = "/console/decisions"


@dataclass
class Here:
    """Two quiet machines of one account, and somebody who looks at them."""

    house: House
    office: Office
    visit: Visit

    def state(self, number: int = 0) -> State:
        found = decisions.dossier(
            self.house.state, self.house.clock, self.id_of(number), ("Owner",)
        )
        return found.state

    def id_of(self, number: int = 0) -> str:
        return self.advice[number].recommendation_id

    @property
    def advice(self) -> list[Advice]:
        return self._advice

    def __post_init__(self) -> None:
        self._advice = [self.office.advice(number) for number in (0, 1)]

    def page(self, number: int = 0) -> str:
        return f"/console/resource?arn={self.advice[number].resource_arn}"

    def decide(self, action: str, number: int = 0, /, **form: str) -> tuple[int, str]:
        """Send a form; return the status and what is said or where it leads."""
        address = f"{DECISIONS}/{self.id_of(number)}"
        found = self.visit.send(address, action=action, **form)
        return found.status, found.headers.get("location") or words(found)

    def file(self, query: str) -> list[dict[str, str]]:
        found = self.visit.get(f"{DECISIONS}/export?{query}")
        assert found.status == 200, words(found)
        return list(csv.DictReader(io.StringIO(found.body.decode())))


@contextmanager
def here_in(folder: Path, kept: KeptOffice, **settings: Any) -> Iterator[Here]:
    shutil.copytree(kept.folder, folder, dirs_exist_ok=True)
    with housed(folder, **settings) as house:
        found = kept.opened_in(folder, house.state)
        house.clock.moment = found.desk.clock.now()
        visit = house.visit()
        if house.settings.auth == "off":
            visit.sign_in(ALPHA)
        yield Here(house, found, visit)


@pytest.fixture
def here(kept_office: KeptOffice, tmp_path: Path) -> Iterator[Here]:
    with here_in(tmp_path, kept_office, auth="off") as found:
        yield found


@pytest.fixture
def guarded(kept_office: KeptOffice, tmp_path: Path) -> Iterator[Here]:
    """The same with auth on."""
    with here_in(tmp_path, kept_office) as found:
        yield found


def test_the_page_of_a_resource_says_where_its_advice_stands(here: Here) -> None:
    page = words(here.visit.get(here.page()))

    assert "Decision State Open" in page
    assert f"Id {here.id_of()}" in page
    assert "Owner nobody" in page
    for form in ("Accept", "Snooze", "Dismiss", "Assign"):
        assert f'aria-label="{form}"' in text(here.visit.get(here.page()))
    # There is nothing to take back.
    assert 'aria-label="Reopen"' not in text(here.visit.get(here.page()))


def test_accepting_leads_back_and_is_logged_with_who_did_it(here: Here) -> None:
    status, where = here.decide("accept", 0, note="tonight", **{"from": "resource"})

    assert status == 303
    assert where.startswith("/console/resource?arn=")
    assert where.endswith("#decision")
    assert here.state() is State.ACCEPTED
    page = words(here.visit.get(here.page()))
    assert "State Accepted" in page
    assert f"by arn:aws:iam::{ALPHA}:root" in page
    assert "What happened (1)" in page
    assert "tonight" in page
    assert '"operation":"decisions accept"' in here.house.audit
    assert here.id_of() in here.house.audit


def test_a_snooze_ends_at_the_beginning_of_its_day(here: Here) -> None:
    day = here.house.clock.now().date() + timedelta(days=3)
    assert here.decide("snooze", until=day.isoformat())[0] == 303

    assert here.state() is State.SNOOZED
    assert f"until {day} 00:00 UTC" in words(here.visit.get(here.page()))
    here.house.clock.advance(timedelta(days=3))
    assert here.state() is State.OPEN


@pytest.mark.parametrize(
    ("action", "form", "status", "told"),
    [
        ("dismiss", {}, 400, "Give a reason"),
        ("snooze", {"until": "soon"}, 400, "expected a day such as 2026-01-31"),
        ("snooze", {"until": "2001-01-01"}, 400, "expected a moment after"),
        ("reopen", {}, 409, "is open, so it cannot be reopened"),
        ("apply", {}, 400, "expected one of accept, snooze, dismiss, reopen, assign"),
        ("accept", {"note": "x" * 2001}, 400, "2,001 characters"),
    ],
)
def test_what_cannot_be_decided_is_told_with_what_to_do(
    here: Here, action: str, form: dict[str, str], status: int, told: str
) -> None:
    found = here.decide(action, 0, **form)

    assert found[0] == status
    assert told in found[1]
    assert here.state() is State.OPEN


@pytest.mark.parametrize("page", ["", "resource"])
@pytest.mark.parametrize(
    ("action", "form", "field"),
    [
        ("dismiss", {"note": "x" * 2001}, "dismiss-note"),
        ("snooze", {"until": "2001-01-01", "note": "later"}, "snooze-until"),
        ("assign", {"owner": "y" * 257}, "assign-owner"),
    ],
)
def test_a_refused_decision_shows_its_form_again_with_the_problem_at_the_field(
    here: Here, page: str, action: str, form: dict[str, str], field: str
) -> None:
    address = f"{DECISIONS}/{here.id_of()}"
    found = here.visit.send(address, action=action, **form, **({"from": page} if page else {}))

    assert found.status == 400
    said = text(found)
    assert f'id="{field}-problem">' in said
    assert re.search(rf'id="{field}"[^>]* aria-invalid="true"', said)
    for value in form.values():
        assert f'value="{value}"' in said
    # It is the page on which the form stood.
    assert ('id="charts"' in said) == bool(page)


def test_a_reason_is_shown_and_dismissed_advice_can_be_reopened(here: Here) -> None:
    here.decide("dismiss", note="<b>quarter's end</b>")

    page = here.visit.get(here.page())
    assert "Reason <b>quarter's end</b>" in words(page)
    assert "<b>quarter" not in text(page)
    assert here.decide("reopen")[1] == f"{DECISIONS}/{here.id_of()}"
    assert here.state() is State.OPEN


def test_a_long_reason_shows_its_beginning_in_tables_and_opens(here: Here) -> None:
    reason = "It is needed when the books are closed. " * 20
    here.decide("dismiss", note=reason)

    listed = text(here.visit.get(f"{DECISIONS}?state=dismissed"))
    more = re.search(r'<details class="more"><summary>(.*?)</summary><p>(.*?)</p>', listed)
    assert more
    shown, whole = (html.unescape(part) for part in more.groups())
    assert whole == reason.strip()
    # 120 characters at most, whole words, and that there is more.
    assert '<span class="start">It is needed when' in shown
    assert "closed. It is needed when the books are…</span>" in shown
    assert '<details class="more">' in text(here.visit.get(here.page()))


def test_a_short_reason_stands_in_tables_as_it_is(here: Here) -> None:
    here.decide("dismiss", note="It is needed.")

    listed = text(here.visit.get(f"{DECISIONS}?state=dismissed"))
    assert '<td class="break">It is needed.</td>' in listed


def test_a_long_owner_keeps_to_its_column_and_opens(here: Here) -> None:
    here.decide("assign", owner="o" * 256)

    listed = text(here.visit.get(f"{DECISIONS}?state=open"))
    # 119 letters and the sign that there is more: 120 at most.
    assert (
        f'<td class="owner"><details class="more"><summary><span class="start">{"o" * 119}…<'
        in listed
    )
    assert f"<p>{'o' * 256}</p>" in listed


def test_an_owner_is_assigned_and_given_back_to_the_tags(here: Here) -> None:
    here.decide("assign", owner="team web")
    assert "Owner team web" in words(here.visit.get(here.page()))

    here.decide("assign", owner="")
    assert "Owner nobody" in words(here.visit.get(here.page()))


def test_a_form_without_the_sessions_token_decides_nothing(here: Here) -> None:
    found = here.visit.post(f"{DECISIONS}/{here.id_of()}", action="accept", form_token="0" * 64)

    assert found.status == 403
    assert here.state() is State.OPEN


def test_advice_of_an_account_out_of_reach_is_as_if_it_were_not_there(here: Here) -> None:
    here.house.enroll(BETA)
    stranger = here.house.visit()
    stranger.sign_in(BETA)
    address = f"{DECISIONS}/{here.id_of()}"

    assert stranger.get(address).status == 404
    assert stranger.send(address, action="accept").status == 404
    assert here.state() is State.OPEN
    assert here.advice[0].name not in words(stranger.get(DECISIONS))


def signed_in(house: House, *allowed: str) -> Visit:
    key, visit = house.new_key(*allowed, account=ALPHA), house.visit()
    visit.post(
        "/console/sign-in",
        access_key_id=key.access_key_id,
        secret_access_key=key.secret_access_key,
    )
    return visit


def test_who_may_only_read_sees_no_form_and_can_send_none(guarded: Here) -> None:
    reader = signed_in(guarded.house, "compute-optimizer:Get*", "compute-optimizer:Describe*")
    page = reader.get(guarded.page())

    assert "State Open" in words(page)
    assert "Your policy does not allow PutRecommendationPreferences" in words(page)
    assert 'name="action"' not in text(page)
    refused = reader.send(f"{DECISIONS}/{guarded.id_of()}", action="accept")
    assert refused.status == 403
    assert "compute-optimizer:PutRecommendationPreferences" in words(refused)
    assert guarded.state() is State.OPEN
    (line,) = (one for one in guarded.house.audit.splitlines() if "decisions accept" in one)
    assert '"outcome":"AccessDeniedException"' in line


def test_who_may_put_preferences_may_decide(guarded: Here) -> None:
    allowed = ("compute-optimizer:Get*", "compute-optimizer:PutRecommendationPreferences")
    decider = signed_in(guarded.house, *allowed)

    sent = decider.send(f"{DECISIONS}/{guarded.id_of()}", action="accept")
    assert sent.status == 303
    assert guarded.state() is State.ACCEPTED


def test_types_that_a_policy_does_not_show_are_not_among_the_decisions(guarded: Here) -> None:
    allowed = ("GetRecommendationSummaries", "GetEBSVolumeRecommendations")
    visit = signed_in(guarded.house, *(f"compute-optimizer:{one}" for one in allowed))
    page = words(visit.get(DECISIONS))

    assert "Nothing is open" in page
    assert guarded.advice[0].name not in page
    refused = visit.get(f"{DECISIONS}/{guarded.id_of()}")
    assert refused.status == 403
    assert "compute-optimizer:GetEC2InstanceRecommendations" in words(refused)


def test_the_sums_say_how_much_is_in_each_state(here: Here) -> None:
    """Two machines of one size: each saves half of what both save together."""
    saved = [one.prediction.savings_monthly_usd or 0.0 for one in here.advice]
    page = words(here.visit.get(DECISIONS))
    assert f"Open 2 ${sum(saved):,.2f}" in page

    here.decide("accept", 0)
    page = words(here.visit.get(DECISIONS))
    assert f"Open 1 ${saved[1]:,.2f}" in page
    assert f"Accepted 1 ${saved[0]:,.2f}" in page


def test_decisions_are_filtered_by_state_and_owner(here: Here) -> None:
    here.decide("accept", 0)
    here.decide("assign", 0, owner="team web")
    here.decide("assign", 1, owner="team db")

    ids = [[one["Recommendation id"] for one in here.file(query)] for query in (
        "", "state=open&owner=TEAM%20DB", "state=open&owner=team%20web",
        "state=accepted", "state=accepted&owner=team%20web", "state=accepted&owner=x",
        "state=dismissed", "state=nonsense",
    )]  # fmt: skip
    first, second = [here.id_of(0)], [here.id_of(1)]
    assert ids == [second, second, [], first, first, [], [], second]
    page = words(here.visit.get(f"{DECISIONS}?state=accepted&owner=team%20web"))
    assert "Accepted, team web" in page
    assert here.advice[0].name in page


def test_a_note_that_looks_like_a_formula_is_none_in_the_file(here: Here) -> None:
    here.decide("dismiss", note="=1+1")

    (row,) = here.file("state=dismissed")
    assert row["Note"] == "'=1+1"
    assert (row["State"], row["Recommendation id"]) == ("dismissed", here.id_of())


def test_what_was_applied_is_shown_beside_what_was_predicted(here: Here) -> None:
    here.decide("accept", note="tonight")
    here.office.follow(0)
    here.house.clock.advance(timedelta(hours=73))

    # 73 hours are a tenth of a month of 730, and nothing was sent since: all hours count.
    promised = here.advice[0].prediction.savings_monthly_usd
    assert promised is not None
    page = words(here.visit.get(f"{DECISIONS}?state=applied"))
    assert f"Realized so far ${promised / 10:,.2f} of ${promised / 10:,.2f} predicted" in page
    (row,) = here.file("state=applied")
    assert row["Recommendation id"] == here.id_of()
    assert float(row["Predicted savings"]) == pytest.approx(promised / 10, abs=0.01)
    assert float(row["Realized savings"]) == pytest.approx(promised / 10, abs=0.01)
    assert (row["Hours"], row["Hours are"]) == ("73.0", "elapsed")
    one = words(here.visit.get(f"{DECISIONS}/{here.id_of()}"))
    assert "What came of it" in one
    assert "Decision State Applied" in one


def test_other_advice_for_the_resource_is_listed_on_its_page(here: Here) -> None:
    here.decide("accept")
    here.office.follow(0)
    here.office.analyze()

    page = text(here.visit.get(here.page()))
    assert "Other advice for this resource" in page
    assert f'href="{DECISIONS}/{here.id_of()}"' in page


def arns_in(here: Here, query: str) -> list[str]:
    page = text(here.visit.get(f"/console/recommendations/ec2-instances?{query}"))
    return re.findall(r'title="(arn:[^"]+)"', page)


def test_lists_have_the_state_as_a_column_and_as_a_filter(here: Here) -> None:
    here.decide("accept", 0)
    first, second = (one.resource_arn for one in here.advice)
    response = here.visit.get(
        "/console/recommendations/ec2-instances/export"
        "?columns=state&columns=owner&columns=recommendation"
    )
    rows = list(csv.DictReader(io.StringIO(response.body.decode())))

    assert {one["Resource ARN"]: (one["State"], one["Recommendation id"]) for one in rows} == {
        first: ("accepted", here.id_of(0)),
        second: ("open", here.id_of(1)),
    }
    assert arns_in(here, "state=accepted") == [first]
    assert arns_in(here, "state=open") == [second]
    assert arns_in(here, "state=dismissed") == []
    assert arns_in(here, "sort=state") == [first, second]
    assert arns_in(here, "sort=-state") == [second, first]
    assert arns_in(here, f"state=open&q={first}") == []
    page = words(here.visit.get("/console/recommendations/ec2-instances?state=open"))
    assert "Filtered" in page


def test_what_idles_is_called_as_its_list_is() -> None:
    names = ("EBSVolume", "RDSDBInstance", "EC2Instance", "NatGateway", "Other")

    assert [title_of(name) for name in names] == [
        "EBS volumes",
        "RDS databases",
        "EC2 instances",
        "NAT gateways",
        "Other",
    ]
