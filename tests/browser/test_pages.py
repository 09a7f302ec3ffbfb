"""Every page at three widths, in both themes: complete, open to all, and of this site only."""

from collections.abc import Iterator
from itertools import product
from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.checks import check
from tests.browser.tested import WEEKS_BEFORE, store_tested
from tests.browser.visits import ACCOUNT, Visit, served, sign_in, visiting

WIDTHS = {"phone": (360, 780), "laptop": (1280, 800), "4k": (3840, 2160)}
"""CSS pixels; 360 is the narrowest phone in common use."""

THEMES = ("light", "dark")

LISTS = (
    "ec2-instances",
    "auto-scaling-groups",
    "ebs-volumes",
    "lambda-functions",
    "ecs-services",
    "rds-databases",
    "licenses",
    "idle",
)

pytestmark = pytest.mark.browser


LOOKS = [
    pytest.param(look, id="-".join(look), marks=pytest.mark.xdist_group("-".join(look)))
    for look in product(WIDTHS, THEMES)
]
"""Every width in every theme: the pages of one are opened in one tab, by one process."""


@pytest.fixture(scope="module", params=LOOKS)
def look(request: pytest.FixtureRequest) -> tuple[str, str]:
    found: tuple[str, str] = request.param
    return found


@pytest.fixture(scope="module")
def width(look: tuple[str, str]) -> str:
    return look[0]


@pytest.fixture(scope="module")
def theme(look: tuple[str, str]) -> str:
    return look[1]


@pytest.fixture(scope="module")
def visit(browser: Browser, url: str, width: str, theme: str) -> Iterator[Visit]:
    wide, high = WIDTHS[width]
    options: dict[str, Any] = {"viewport": {"width": wide, "height": high}, "color_scheme": theme}
    with visiting(browser, url, **options) as opened:
        sign_in(opened)
        yield opened


PAGES = {
    "dashboard": "/",
    "enrollment": "/enrollment",
    "enrollment-active": "/enrollment?status=Active",
    "exports": "/exports",
    "preferences": "/preferences",
    "quality": "/quality",
    "quality-history-empty": "/quality/history?type=EbsVolume",
    "preferences-volumes": "/preferences?type=EbsVolume&scope=Organization",
    "preferences-groups": "/preferences?type=AutoScalingGroup",
}


@pytest.mark.parametrize("name", PAGES)
def test_page(visit: Visit, width: str, theme: str, name: str) -> None:
    visit.open(PAGES[name])

    check(visit, f"{name}-{width}-{theme}")


@pytest.mark.parametrize("kind", LISTS)
def test_list(visit: Visit, width: str, theme: str, kind: str) -> None:
    visit.open(f"/recommendations/{kind}")

    assert visit.page.locator("table.list tbody tr").count() > 0
    check(visit, f"list-{kind}-{width}-{theme}")


@pytest.mark.parametrize("kind", LISTS)
def test_resource_with_the_largest_savings(visit: Visit, width: str, theme: str, kind: str) -> None:
    visit.open(f"/recommendations/{kind}")
    address = visit.page.locator("table.list tbody th a").first.get_attribute("href")
    assert address is not None
    visit.open(address.removeprefix("/console"))

    # The idle resource that saves most is an unattached volume, which nobody measures.
    charts = visit.page.locator("figure.chart canvas").count()
    assert charts > 0 if kind != "idle" else visit.page.get_by_text("no samples").count() == 1
    check(visit, f"resource-{kind}-{width}-{theme}")


@pytest.mark.parametrize("state", ["open", "accepted", "snoozed", "dismissed", "applied"])
def test_decisions(visit: Visit, decided: str, width: str, theme: str, state: str) -> None:
    visit.open(f"/decisions?state={state}")

    assert visit.page.locator("table.changes tbody tr").count() > 0
    check(visit, f"decisions-{state}-{width}-{theme}")


def test_decisions_of_nobody(visit: Visit, width: str, theme: str) -> None:
    visit.open("/decisions?state=superseded&owner=nobody+at+all")

    assert visit.page.get_by_text("Nothing is superseded").count() == 1
    check(visit, f"decisions-none-{width}-{theme}")


def test_decision_that_was_applied(visit: Visit, decided: str, width: str, theme: str) -> None:
    visit.open(f"/decisions/{decided}")

    assert visit.page.get_by_text("What came of it").count() == 1
    check(visit, f"decision-{width}-{theme}")


def test_what_if(visit: Visit, width: str, theme: str) -> None:
    visit.open("/preferences")
    visit.page.select_option("#cpuThreshold", "P90")
    visit.page.select_option("#cpuHeadroom", "PERCENT_0")
    visit.page.get_by_role("button", name="What if").click()
    expect(visit.page.locator("#trial")).to_contain_text("Nothing was saved", timeout=60_000)
    visit.page.wait_for_load_state("networkidle")

    assert visit.page.locator("#cpuHeadroom").input_value() == "PERCENT_0"
    assert visit.page.locator("#trial table.changes tbody tr").count() > 0
    check(visit, f"what-if-{width}-{theme}")


def test_form_that_is_refused(visit: Visit, width: str, theme: str) -> None:
    visit.open("/preferences")
    visit.page.fill("#include", "m55")
    visit.page.get_by_role("button", name="Save").click()
    expect(visit.page.get_by_role("alert")).to_contain_text("no instance type matches")
    visit.problems.clear()  # Chromium reports the status 400 itself.

    assert visit.page.locator("#include").input_value() == "m55"
    expect(visit.page.locator("#include")).to_be_focused()
    check(visit, f"refused-form-{width}-{theme}")


def test_refusal(visit: Visit, width: str, theme: str) -> None:
    visit.page.goto(f"{visit.url}/console/resource?arn={quote('arn:aws:ec2:x:1:instance/i-0')}")
    visit.problems.clear()  # Chromium reports the status 404 itself.

    assert "No resource" in visit.page.locator("main").inner_text()
    check(visit, f"refusal-{width}-{theme}")


def test_sign_in_form(browser: Browser, url: str, width: str, theme: str) -> None:
    wide, high = WIDTHS[width]
    options: dict[str, Any] = {"viewport": {"width": wide, "height": high}, "color_scheme": theme}
    with visiting(browser, url, **options) as visit:
        visit.open("/sign-in")
        check(visit, f"sign-in-{width}-{theme}")


@pytest.fixture(scope="module")
def tested(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where a console answers whose fleet was tested on its own past."""
    folder = tmp_path_factory.mktemp("tested")
    store_tested(folder, ACCOUNT)
    with served(folder, "off") as address:
        yield address


def test_quality_of_a_tested_fleet(browser: Browser, tested: str, width: str, theme: str) -> None:
    wide, high = WIDTHS[width]
    options: dict[str, Any] = {"viewport": {"width": wide, "height": high}, "color_scheme": theme}
    with visiting(browser, tested, **options) as visit:
        sign_in(visit)
        visit.open("/quality")

        assert visit.page.locator("figure.chart canvas").count() == 3
        check(visit, f"quality-tested-{width}-{theme}")


def test_history_of_a_tested_fleet(browser: Browser, tested: str, width: str, theme: str) -> None:
    wide, high = WIDTHS[width]
    options: dict[str, Any] = {"viewport": {"width": wide, "height": high}, "color_scheme": theme}
    with visiting(browser, tested, **options) as visit:
        sign_in(visit)
        visit.open("/quality")
        visit.page.get_by_role("link", name="How it moved").click()
        visit.page.wait_for_load_state("networkidle")

        assert visit.page.locator("figure.chart canvas").count() == 3
        assert visit.page.locator("table tbody tr").count() == WEEKS_BEFORE + 1
        check(visit, f"history-{width}-{theme}")
