"""Preferences as tests of the console state, try and read them."""

import re
from typing import Any

from compute_optimizer.console.messages import Response
from compute_optimizer.model.stated_preferences import DELETABLE
from tests.console.conftest import ACCOUNT, House
from tests.console.visiting import Visit, text, words
from tests.waiting import wait_until

MEMBER = "222222222222"
REGION = "us-east-1"
HERE = "/console/preferences"
FORM = {"account": ACCOUNT, "region": REGION, "scope": "AccountId"}


def perform(house: House, operation: str, **parameters: object) -> dict[str, Any]:
    visitor = house.room.gate.standing(ACCOUNT, house.clock.now())
    assert visitor is not None
    return house.room.calls.perform(
        visitor, REGION, "", operation, {"resourceType": "Ec2Instance", **parameters}
    )


def scopes_of(house: House, kind: str = "Ec2Instance") -> list[dict[str, Any]]:
    answer = perform(house, "GetRecommendationPreferences", resourceType=kind)
    found: list[dict[str, Any]] = answer["recommendationPreferencesDetails"]
    return found


def forget(house: House) -> None:
    """Take away everything that is stated for EC2 instances and EBS volumes."""
    for kind in ("Ec2Instance", "EbsVolume"):
        for one in scopes_of(house, kind):
            perform(
                house,
                "DeleteRecommendationPreferences",
                resourceType=kind,
                scope=one["scope"],
                recommendationPreferenceNames=list(DELETABLE),
            )


def over(visit: Visit, there: str) -> Response:
    """Return the page of a what-if that is over."""

    def shown() -> Response | None:
        response = visit.get(there)
        return None if "data-follow" in text(response) else response

    return wait_until(shown, lambda: f"{there} goes on")


def tried(visit: Visit, **form: str) -> Response:
    """Send a what-if and return its page once it is over."""
    begun = visit.send(f"{HERE}/what-if", **form)
    assert begun.status == 303, words(begun)
    return over(visit, begun.headers["location"])


def rows_of(page: str) -> dict[str, tuple[str, ...]]:
    """Return the cells of every table's rows by their headings."""
    found = {}
    for row in re.findall(r"<tr><th scope=\"row\".*?</tr>", page, flags=re.DOTALL):
        first, *cells = re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, flags=re.DOTALL)
        found[first] = tuple(re.sub(r"<[^>]*>", "", cell) for cell in cells)
    return found
