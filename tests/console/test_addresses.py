"""A path in front of the console: taken from what comes in, put into what goes out."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from compute_optimizer.console import rendering
from compute_optimizer.console.addresses import inner, link, outer
from compute_optimizer.console.kinds import KINDS
from tests.console.conftest import House
from tests.console.visiting import Visit, text
from tests.records import ACCOUNT

PREFIX = "/team/co"
TEMPLATES = sorted((Path(rendering.__file__).parent / "templates").glob("*.html"))

ADDRESS = re.compile(
    r'[\s"](?:href|src|srcset|action|formaction|poster|data-src)\s*=(?!=)\s*("[^"]*"|\S*)'
)
"""Attributes that hold an address."""

WRITTEN = re.compile(r"""["'](?:\{\{ (?:url|asset)\(|#)""")
"""How templates begin one: through what puts the path in front, or on the same page."""

ELSEWHERE = {("leaving.html", '"{{ address }}"')}
"""The provider's, which has nothing of this console."""


@pytest.mark.parametrize(
    ("path", "known"),
    [
        ("/team/co/console/exports", "/console/exports"),
        ("/team/co/console", "/console"),
        # The proxy has taken it away already.
        ("/console/exports", "/console/exports"),
        ("/team/co/elsewhere", "/team/co/elsewhere"),
        ("/other/console/", "/other/console/"),
    ],
)
def test_what_comes_in_loses_the_path(path: str, known: str) -> None:
    assert inner(PREFIX, path) == known


@pytest.mark.parametrize(
    ("address", "known"),
    [
        ("/console/exports?a=/console/b", "/team/co/console/exports?a=/console/b"),
        ("/console", "/team/co/console"),
        ("/console?a=1", "/team/co/console?a=1"),
        ("/consoles", "/consoles"),
        ("https://login.example.com/console/", "https://login.example.com/console/"),
    ],
)
def test_what_goes_out_gets_the_path_where_it_is_ours(address: str, known: str) -> None:
    assert outer(PREFIX, address) == known
    assert outer("", address) == address


def test_empty_values_are_left_out_of_a_query() -> None:
    assert link("/console/x", {"a": "", "b": [1, 2], "c": None}) == "/console/x?b=1&b=2"
    assert link("/console/x", {"a": ""}) == "/console/x"


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda one: one.name)
def test_no_template_writes_an_address_by_itself(template: Path) -> None:
    found = ADDRESS.findall(template.read_text())
    bare = {one for one in found if not WRITTEN.match(one)}

    assert {(template.name, one) for one in bare} <= ELSEWHERE


@pytest.mark.parametrize(
    "written",
    ['<a href="/console/">', '<form action="{{ here }}">', "<a class='x' href='/console/'>",
     '<img\n src="https://elsewhere.example.com/a.svg">', "<a href=/console/>"],
)  # fmt: skip
def test_an_address_that_is_written_by_itself_is_seen(written: str) -> None:
    (found,) = ADDRESS.findall(written)
    assert not WRITTEN.match(found)


def test_every_page_leads_to_pages_behind_the_path_only(house: House) -> None:
    house.enroll(ACCOUNT)
    visit = Visit(replace(house.room, prefix=PREFIX))
    assert visit.sign_in(ACCOUNT).headers["location"] == "/team/co/console/"
    pages = ["", "decisions", "quality", "quality/history", "preferences", "exports", "enrollment"]
    lists = [f"recommendations/{kind.slug}" for kind in KINDS]

    for name in pages + lists + ["no-such-page", "sign-in"]:
        page = text(visit.get(f"{PREFIX}/console/{name}"))
        leads = re.findall(r' (?:href|src|action|formaction|data-src)="(/[^"]*)"', page)
        assert len(leads) > 3
        assert {one for one in leads if not one.startswith(f"{PREFIX}/console")} == set(), name


def test_ways_and_cookies_get_the_path(house: House) -> None:
    house.enroll(ACCOUNT)
    visit = Visit(replace(house.room, prefix=PREFIX))
    away = visit.get("/team/co/console/exports")
    assert away.headers["location"] == "/team/co/console/sign-in?next=/console/exports"
    again = visit.get("/console/exports", sec_fetch_site="cross-site")
    assert again.headers["refresh"] == "0;url=/team/co/console/exports"

    opened = visit.sign_in(ACCOUNT)
    assert "; Path=/team/co/console; " in opened.cookies[0]
    themed = visit.post("/console/theme", theme="dark")
    assert "; Path=/team/co/console; " in themed.cookies[0]
    assert themed.headers["location"] == "/team/co/console/"
