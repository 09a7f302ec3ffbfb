"""The documentation says what the program does: commands, settings, operations, links."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from compute_optimizer.config import ENVIRONMENT_PREFIX, SETTINGS
from compute_optimizer.operations import OPERATIONS
from compute_optimizer.shapes.model import modelled_errors, service_model
from tests.documented import SHELL_BLOCK, section
from tests.typed_commands import COMMANDS, PROGRAM, options

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])

LINK = re.compile(r"\]\(([^)\s]+)\)")


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


# Commands


@pytest.mark.parametrize("name", COMMANDS)
def test_command_has_its_section_with_every_option(name: str) -> None:
    text = section((DOCS / "cli.md").read_text(), name)

    assert text
    for option in options(COMMANDS[name]) - {"--help"}:
        assert f"`{option}`" in text


def test_page_of_the_command_line_has_no_section_of_a_command_that_is_gone() -> None:
    headings = re.findall(rf"^## ({PROGRAM} .*)$", (DOCS / "cli.md").read_text(), re.MULTILINE)

    assert headings == sorted(COMMANDS)


def shell_lines(page: Path) -> list[str]:
    blocks = SHELL_BLOCK.findall(page.read_text())
    return [line for block in blocks for line in block.replace("\\\n", " ").splitlines()]


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_commands_shown_in_the_docs_exist(page: Path) -> None:
    for line in shell_lines(page):
        words = shlex.split(line.removeprefix("$ "), comments=True)
        if words[:1] == [PROGRAM]:
            name = _command_in(words)
            given = {word.partition("=")[0] for word in words if word.startswith("--")}
            assert given - options(COMMANDS[name]) - {"--help"} == set(), line


def _command_in(words: list[str]) -> str:
    for length in (3, 2):
        if (name := " ".join(words[:length])) in COMMANDS:
            return name
    pytest.fail(f"no such command: {' '.join(words)}")


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_make_targets_shown_in_the_docs_exist(page: Path) -> None:
    makefile = (ROOT / "Makefile").read_text()

    # At the start of a line of a code block, or quoted in a sentence.
    for target in re.findall(r"(?:^ {4}|^|`)make ([a-z][a-z-]*)", page.read_text(), re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


# Settings


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_setting_is_on_its_page_with_its_variable(setting: Any) -> None:
    page = (DOCS / "settings.md").read_text()

    assert f"`{setting.name}`" in page
    assert f"`{ENVIRONMENT_PREFIX}{setting.name.upper()}`" in page


# Operations


def members(shape: Any) -> Iterator[str]:
    """Yield the name of every member of a shape, nested ones included."""
    if shape is None:
        return
    if shape.type_name == "list":
        yield from members(shape.member)
    if shape.type_name == "structure":
        for name, inner in shape.members.items():
            yield name
            yield from members(inner)


@pytest.mark.parametrize("name", OPERATIONS)
def test_operation_has_a_page_with_every_member_and_exception(name: str) -> None:
    page = (DOCS / "operations" / f"{name}.md").read_text()
    operation = service_model().operation_model(name)
    wanted = {*members(operation.input_shape), *members(operation.output_shape)}

    missing = {word for word in wanted | modelled_errors(name) if f"`{word}`" not in page}

    assert not missing


def test_every_page_of_an_operation_belongs_to_one() -> None:
    pages = {path.stem for path in (DOCS / "operations").glob("*.md")} - {"README"}

    assert pages <= set(OPERATIONS)


# Links


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as code hosts derive them."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", one.lower()).strip().replace(" ", "-") for one in headings}


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_relative_links_lead_somewhere(page: Path) -> None:
    for link in LINK.findall(page.read_text()):
        if "://" in link or link.startswith("mailto:"):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


def test_the_index_lists_every_decision_once() -> None:
    index = (DOCS / "README.md").read_text()
    listed = re.findall(r"^- \[.*\]\((decisions/.*)\)$", index, re.MULTILINE)

    assert sorted(listed) == sorted(f"decisions/{page.name}" for page in DOCS.glob("decisions/*"))


def test_every_page_can_be_reached_from_the_index() -> None:
    waiting, reached = [DOCS / "README.md"], set()
    while waiting:
        page = waiting.pop()
        if page in reached or page.suffix != ".md" or not page.exists():
            continue
        reached.add(page)
        links = (link.partition("#")[0] for link in LINK.findall(page.read_text()))
        waiting += [(page.parent / link).resolve() for link in links if link and "://" not in link]

    assert set(DOCS.rglob("*.md")) - reached == set()
