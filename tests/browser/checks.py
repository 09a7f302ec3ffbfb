"""What every page must fulfil."""

from axe_playwright_python.sync_playwright import Axe

from tests.browser.visits import ARTIFACTS, Visit

SERIOUS = ("serious", "critical")
"""Impacts of axe's findings that are not accepted."""

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def check(visit: Visit, name: str) -> None:
    """Keep a screenshot; hold the page to what every page must fulfil."""
    ARTIFACTS.mkdir(parents=True, exist_ok=True)
    visit.page.screenshot(path=ARTIFACTS / f"{name}.png", full_page=True)
    beyond = visit.page.evaluate("document.documentElement.scrollWidth - innerWidth")
    found = Axe().run(visit.page, options={"runOnly": TAGS})
    findings = [
        f"{one['id']}: {one['nodes'][0]['html']} ({one['nodes'][0].get('failureSummary')})"
        for one in found.response["violations"]
        if one["impact"] in SERIOUS
    ]
    assert findings == []
    assert beyond <= 0, f"{name} is {beyond} px wider than the window"
    assert visit.problems == []
