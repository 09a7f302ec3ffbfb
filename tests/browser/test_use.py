"""What people do in the console, in a real browser."""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.visits import (
    ACCOUNT,
    PROGRAM,
    Visit,
    environment,
    served,
    sign_in,
    visiting,
)

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("walks")]


@pytest.fixture
def visit(browser: Browser, url: str) -> Iterator[Visit]:
    with visiting(browser, url, viewport={"width": 1280, "height": 800}) as opened:
        yield opened


def focused(visit: Visit) -> str:
    """Return what a screen reader would say of the element with the focus."""
    told: str = visit.page.evaluate(
        "document.activeElement.innerText || document.activeElement.getAttribute('aria-label')"
        " || document.activeElement.id || document.activeElement.tagName"
    )
    return told.strip()


def tab_to(visit: Visit, text: str, most: int = 60) -> None:
    """Press Tab until the element that says a text has the focus."""
    for _ in range(most):
        visit.page.keyboard.press("Tab")
        if focused(visit).startswith(text):
            return
    pytest.fail(f"{text!r} cannot be reached by Tab; the focus is on {focused(visit)!r}")


def test_a_walk_by_keyboard_alone_from_signing_in_to_a_decision_and_out(visit: Visit) -> None:
    visit.open("/")
    keyboard = visit.page.keyboard
    expect(visit.page.locator("#account_id")).to_be_focused()
    keyboard.type(ACCOUNT)
    keyboard.press("Enter")
    expect(visit.page).to_have_title(re.compile("^Dashboard"))

    keyboard.press("Tab")
    assert focused(visit) == "Skip to the content"
    tab_to(visit, "EC2 instances")
    keyboard.press("Enter")
    expect(visit.page.locator("h1")).to_have_text("EC2 instances")

    tab_to(visit, "Finding")
    keyboard.press("Enter")
    keyboard.press("Tab")
    keyboard.press("Space")
    keyboard.press("Escape")
    assert focused(visit).startswith("Finding")
    tab_to(visit, "Apply")
    keyboard.press("Enter")
    expect(visit.page).to_have_url(re.compile(r"filter\.Finding="))

    first = visit.page.locator("table.list tbody th a").first.inner_text()
    tab_to(visit, first)
    keyboard.press("Enter")
    expect(visit.page.locator("h1")).to_contain_text(first)
    visit.page.wait_for_selector("#charts[aria-busy=false]")
    visit.page.locator("input[name=option]:checked").focus()
    keyboard.press("ArrowDown")
    chosen = visit.page.locator("input[name=option]:checked").get_attribute("value")
    expect(visit.page.locator("figure.chart .keys").first).to_contain_text(f"On {chosen}")

    tab_to(visit, "dismiss-note")
    keyboard.type("needs the headroom")
    keyboard.press("Enter")
    panel = visit.page.locator("section", has=visit.page.locator("#decision"))
    expect(panel.locator("dl .badge")).to_have_text("Dismissed")
    expect(panel).to_contain_text("needs the headroom")
    expect(visit.page).to_have_url(re.compile("#decision$"))
    tab_to(visit, "Reopen")
    keyboard.press("Space")
    expect(panel.locator("dl .badge")).to_have_text("Open")
    tab_to(visit, "What happened (2)")
    keyboard.press("Enter")
    expect(panel.locator("details tbody tr")).to_have_count(2)

    visit.page.locator(".skip").focus()
    tab_to(visit, "Sign out")
    keyboard.press("Enter")
    expect(visit.page).to_have_title(re.compile("^Sign in"))
    assert visit.problems == []


def tab_to_field(visit: Visit, name: str, most: int = 80) -> None:
    """Press Tab until the field of that id or name has the focus."""
    for _ in range(most):
        visit.page.keyboard.press("Tab")
        if name in visit.page.evaluate("[document.activeElement.id, document.activeElement.value]"):
            return
    pytest.fail(f"{name!r} cannot be reached by Tab; the focus is on {focused(visit)!r}")


def test_a_walk_by_keyboard_alone_through_enrolling_trying_saving_and_exporting(
    visit: Visit,
) -> None:
    sign_in(visit)
    keyboard, page = visit.page.keyboard, visit.page
    tab_to(visit, "Enrollment")
    keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("Enrollment")
    tab_to(visit, "Opt in again")
    keyboard.press("Enter")
    expect(page.locator("dl .badge").first).to_have_text("Active")

    tab_to(visit, "Preferences")
    keyboard.press("Enter")
    expect(page.locator("h1")).to_contain_text("Preferences")
    tab_to_field(visit, "cpuHeadroom")
    for _ in range(3):
        keyboard.press("ArrowDown")
    assert page.locator("#cpuHeadroom").input_value() == "PERCENT_0"
    tab_to(visit, "What if")
    keyboard.press("Enter")
    expect(page.locator("#trial")).to_contain_text("Nothing was saved", timeout=60_000)
    tab_to(visit, "Save this for account")
    keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("Saved for account")
    row = page.locator("tr", has=page.locator("th", has_text="CPU headroom"))
    expect(row).to_contain_text("0 %")
    expect(row).to_contain_text("Account")

    tab_to_field(visit, "UtilizationPreferences")
    keyboard.press("Space")
    tab_to(visit, "Take away")
    keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("Taken away")
    expect(row).to_contain_text("20 %")
    expect(row).to_contain_text("Default")

    tab_to(visit, "Exports")
    keyboard.press("Enter")
    expect(page.locator("h1")).to_contain_text("Exports")
    tab_to_field(visit, "bucket")
    keyboard.type("by-keyboard")
    keyboard.press("Enter")
    # The page follows the job; its script looks every three seconds.
    expect(page.get_by_role("link", name="CSV").first).to_be_visible(timeout=30_000)
    assert visit.problems == []


def test_a_type_is_added_to_its_list_by_the_enter_key(visit: Visit) -> None:
    sign_in(visit)
    visit.open("/preferences")
    visit.page.fill("#includeAdded", "m7g")
    visit.page.press("#includeAdded", "Enter")
    visit.page.fill("#includeAdded", "c7g.large")
    visit.page.press("#includeAdded", "Enter")

    assert visit.page.locator("#include").input_value() == "m7g\nc7g.large"
    assert visit.page.locator("#includeAdded").input_value() == ""
    assert visit.page.locator('#types option[value="m7g"]').count() == 1


def test_the_projected_use_moves_with_the_option_that_is_chosen(visit: Visit) -> None:
    sign_in(visit)
    visit.open("/recommendations/ec2-instances")
    visit.page.locator("table.list tbody th a").first.click()
    visit.page.wait_for_selector("#charts[aria-busy=false]")
    says = visit.page.locator("figure.chart .says").first
    told = []
    for option in visit.page.locator("input[name=option]").all():
        option.check()
        told.append(says.inner_text())

    # As it is there is no second figure; every option has one of its own.
    assert " % of " not in told[0].split(";")[1]
    assert len(set(told)) == len(told)


def test_a_view_is_in_its_address(visit: Visit) -> None:
    sign_in(visit)
    visit.open("/recommendations/ebs-volumes")
    visit.page.select_option("#region", "eu-west-1")
    visit.page.select_option("#size", "10")
    visit.page.get_by_role("button", name="Apply").click()
    visit.page.wait_for_load_state("networkidle")
    regions = visit.page.locator("table.list tbody td:nth-child(3)").all_inner_texts()
    address = visit.page.url

    assert set(regions) == {"eu-west-1"}
    assert re.search(r"\?region=eu-west-1&size=10$", address)
    visit.page.get_by_role("link", name="Next 10").click()
    visit.page.wait_for_load_state("networkidle")
    assert visit.page.locator("table.list tbody tr").count() > 0
    visit.page.goto(address)
    assert visit.page.locator("table.list tbody tr").count() == 10


def test_a_file_of_the_view_can_be_saved(visit: Visit, tmp_path: Path) -> None:
    sign_in(visit)
    visit.open("/recommendations/lambda-functions?account=222222222222")
    with visit.page.expect_download() as saving:
        visit.page.get_by_role("link", name="Export CSV").click()
    saving.value.save_as(tmp_path / "view.csv")
    lines = (tmp_path / "view.csv").read_text().splitlines()

    assert lines[0].startswith("Resource ARN,Resource,Account,Region,Finding")
    assert len(lines) == 1 + visit.page.locator("table.list tbody tr").count()


def test_an_export_is_followed_until_its_file_can_be_saved(visit: Visit, tmp_path: Path) -> None:
    sign_in(visit)
    visit.open("/exports")
    visit.page.select_option("#region", "us-east-1")
    visit.page.fill("#bucket", "my-exports")
    visit.page.get_by_role("button", name="Export").click()
    # The page is not opened again: its script looks every three seconds.
    job = visit.page.locator("tr", has_text="us-east-1")
    link = job.get_by_role("link", name="CSV")
    expect(link).to_be_visible(timeout=30_000)
    with visit.page.expect_download() as saving:
        link.click()
    saving.value.save_as(tmp_path / "export.csv")

    assert re.fullmatch(r"us-east-1-.*\.csv", saving.value.suggested_filename)
    assert ACCOUNT in (tmp_path / "export.csv").read_text()
    assert visit.problems == []


def test_a_theme_is_kept(visit: Visit) -> None:
    sign_in(visit)
    background = "getComputedStyle(document.body).backgroundColor"
    visit.page.get_by_role("button", name="Dark").click()
    visit.page.wait_for_load_state("networkidle")
    dark = visit.page.evaluate(background)
    visit.open("/enrollment")
    assert visit.page.evaluate(background) == dark
    visit.page.get_by_role("button", name="Light").click()
    visit.page.wait_for_load_state("networkidle")

    assert visit.page.evaluate(background) != dark
    assert visit.page.locator("html").get_attribute("data-theme") == "light"


def test_a_link_from_another_site_finds_the_session(visit: Visit, url: str) -> None:
    """SameSite=Strict keeps the cookie back the first time; the page asks again."""
    sign_in(visit)
    # localhost is another site than 127.0.0.1; this page of it links to the console.
    elsewhere = url.replace("127.0.0.1", "localhost")
    visit.page.route(
        f"{elsewhere}/mail",
        lambda route: route.fulfill(
            body=f'<a href="{url}/console/enrollment">look</a>', content_type="text/html"
        ),
    )
    visit.page.goto(f"{elsewhere}/mail")
    visit.page.click("a")

    expect(visit.page.locator("h1")).to_have_text("Enrollment")


def test_signing_in_with_an_access_key(browser: Browser, data_dir: Path, tmp_path: Path) -> None:
    words = ("keys", "create", "--account", ACCOUNT, "--name", "reader")
    allowed = ("--allow", "compute-optimizer:Get*", "--output", "json")
    done = subprocess.run(
        [*PROGRAM, *words, *allowed], env=environment(data_dir), capture_output=True, text=True
    )
    key: dict[str, Any] = json.loads(done.stdout)
    with served(data_dir, "on") as address, visiting(browser, address) as visit:
        visit.open("/enrollment")
        visit.page.fill("#access_key_id", key["AccessKeyId"])
        visit.page.fill("#secret_access_key", "wrong")
        visit.page.click("button.primary")
        expect(visit.page.get_by_role("alert")).to_contain_text("Unknown access key")
        visit.page.fill("#secret_access_key", key["SecretAccessKey"])
        visit.page.click("button.primary")

        expect(visit.page.locator("h1")).to_have_text("Enrollment")
        # The key may read only.
        expect(visit.page.locator(".note")).to_contain_text("does not allow")
        (cookie,) = (one for one in visit.page.context.cookies() if one["name"] == "co_session")
        assert cookie["httpOnly"]
        assert cookie["sameSite"] == "Strict"
