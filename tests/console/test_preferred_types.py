"""Preferred instance types in the console's form: listed, left alone and changed."""

import re
from collections.abc import Iterator

import pytest

from tests.console.conftest import House
from tests.console.stating import FORM, HERE, REGION, forget, scopes_of
from tests.console.visiting import Visit, text


@pytest.fixture(autouse=True)
def nothing_stated(demo: House) -> Iterator[None]:
    """Take away what a test stated."""
    yield
    forget(demo)


def test_types_are_included_and_excluded(demo: House, visit: Visit) -> None:
    lists = {"include": "m5\nm6g", "includeAdded": "c5", "exclude": "c5.large, c5.xlarge"}
    visit.send(HERE, **FORM, **lists)
    (one,) = scopes_of(demo)
    page = text(visit.get(f"{HERE}?region={REGION}"))

    assert one["preferredResources"][0]["includeList"] == ["m5", "m6g", "c5"]
    assert one["preferredResources"][0]["excludeList"] == ["c5.large", "c5.xlarge"]
    assert ">m5\nm6g\nc5</textarea>" in page
    assert '<option value="m7g.large">' in page
    # A form that leaves the lists as they are says nothing of them.
    visit.send(HERE, **FORM, include="m5 m6g c5", exclude="c5.large c5.xlarge", cpuThreshold="P90")
    assert scopes_of(demo)[0]["preferredResources"] == one["preferredResources"]


def test_lists_that_somebody_changed_since_the_form_was_shown_stay_as_they_are(
    demo: House, visit: Visit
) -> None:
    visit.send(HERE, **FORM, include="m5 c5")
    shown = re.search(
        r'name="listsShown" value="([^"]*)"', text(visit.get(f"{HERE}?region={REGION}"))
    )
    assert shown
    assert shown[1] == "m5,c5|"
    visit.send(HERE, **FORM, include="m6g")
    mine = {"include": "m5\r\nc5", "listsShown": shown[1]}

    assert visit.send(HERE, **FORM, **mine, cpuThreshold="P90").status == 303
    (one,) = scopes_of(demo)
    assert one["preferredResources"][0]["includeList"] == ["m6g"]
    assert one["utilizationPreferences"][0]["metricParameters"]["threshold"] == "P90"
    # Whoever changes them has the last word, as with the operation.
    assert visit.send(HERE, **FORM, **mine | {"include": "m5"}).status == 303
    assert scopes_of(demo)[0]["preferredResources"][0]["includeList"] == ["m5"]
