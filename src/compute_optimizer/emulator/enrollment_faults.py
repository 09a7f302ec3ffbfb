"""Faults of enrollment, made with the switches and steps that enrollment itself has.

No answer is overwritten: an account that stays Pending is Pending for every operation, and one that
fails does so in the background check, for one of its reasons.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from compute_optimizer.api.background import Step
from compute_optimizer.errors import InvalidInput
from compute_optimizer.interfaces import Clock
from compute_optimizer.jobs import enroll
from compute_optimizer.jobs.enroll import advance_enrollments
from compute_optimizer.jobs.organization import make_metrics_unreadable, refuse_trusted_access
from compute_optimizer.model.account import EnrollmentStatus
from compute_optimizer.model.enrollment import ROLE_FAILED
from compute_optimizer.model.roster import Roster, with_enrollments
from compute_optimizer.store import State
from compute_optimizer.store.accounts import roster_of

ENROLLMENT_STEP = "enrollment"
"""Name of the step that decides Pending enrollments (app.serving)."""

Held = Callable[[str], bool]
"""Whether the enrollment of an account stays Pending."""


def holding(steps: Sequence[Step], state: State, clock: Clock, held: Held) -> list[Step]:
    """Return the steps of a server, of which the one that decides enrollments leaves some alone."""
    decisions = [held_back(decide, held) for decide in enroll.STEPS]
    advance = partial(advance_enrollments, state, clock, decisions)
    return [replace(one, run=advance) if one.name == ENROLLMENT_STEP else one for one in steps]


def held_back(decide: enroll.Step, held: Held) -> enroll.Step:
    """Return a decision about a roster that leaves held accounts Pending as they are.

    A management account that waits for its members waits for its delegated administrator, too.
    """

    def decided(roster: Roster, now: datetime) -> Roster:
        after = decide(roster, now)
        kept = {one for one in roster.enrollments if held(one) and _is_pending(roster, one)}
        organization = roster.organization
        if organization and organization.delegated_administrator_id in kept:
            kept |= {one for one in roster.administrators if _is_waiting(roster, one)}
        return with_enrollments(after, [roster.enrollments[one] for one in kept])

    return decided


@dataclass(frozen=True, slots=True)
class Switch:
    """What lets enrollments fail for a reason, of an account or an organization."""

    name: tuple[str, str]
    """The reason, and whose it is."""
    is_on: bool
    turn: Callable[[bool], object]


def switch_of(state: State, account_id: str, reason: str) -> Switch:
    """Return the switch that lets an account fail for a reason, as it stands.

    Raises InvalidInput where the account belongs to no organization and the reason needs one.
    """
    with state.reading() as connection:
        roster = roster_of(connection, account_id)
    if reason == ROLE_FAILED:
        is_on = roster.accounts[account_id].metrics_unreadable
        return Switch(
            (reason, account_id), is_on, partial(make_metrics_unreadable, state, account_id)
        )
    organization = roster.organization
    if organization is None:
        raise InvalidInput(
            f"trusted access cannot fail for {account_id}: it belongs to no organization; "
            "name an account of one"
        )
    identifier = organization.organization_id
    turn = partial(refuse_trusted_access, state, identifier)
    return Switch((reason, identifier), organization.trusted_access_refused, turn)


def _is_pending(roster: Roster, account_id: str) -> bool:
    return roster.enrollments[account_id].status == EnrollmentStatus.PENDING


def _is_waiting(roster: Roster, account_id: str) -> bool:
    return _is_pending(roster, account_id) and roster.enrollments[account_id].includes_members
