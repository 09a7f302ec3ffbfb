"""The page about collecting from Prometheus says what the code does."""

import re
from pathlib import Path

import msgspec
import pytest

from compute_optimizer.sources.prometheus import read_configuration
from compute_optimizer.sources.prometheus.configuration import (
    BasicAuth,
    ExporterEntry,
    File,
    Secret,
    ServerEntry,
    Tls,
)
from compute_optimizer.sources.prometheus.declared import Info
from compute_optimizer.sources.prometheus.exporters import EXPORTERS
from compute_optimizer.sources.prometheus.expressions import RANGES

PAGE = (Path(__file__).parents[2] / "docs" / "collect-prometheus.md").read_text()


def test_every_query_of_a_known_exporter_is_shown() -> None:
    shown = PAGE.partition("<!-- queries -->\n")[2].partition("\n<!-- /queries -->")[0]

    declared = []
    for name, exporter in EXPORTERS.items():
        rows = [f"### {name}", "", "| metric | statistic | query |", "|---|---|---|"]
        for rule in exporter.metrics:
            query = rule.query.replace("|", "\\|")
            rows.append(f"| `{rule.metric}` | {rule.statistic} | `{query}` |")
        declared.append("\n".join(rows))
    assert shown == "\n\n".join(declared)


@pytest.mark.parametrize(
    "kind",
    [File, ServerEntry, ExporterEntry, Info, Tls, BasicAuth, Secret],
    ids=lambda kind: kind.__name__,
)
def test_every_key_of_the_file_is_explained(kind: type[msgspec.Struct]) -> None:
    keys = PAGE.partition("## Every key\n")[2].partition("\n## ")[0]

    for field in msgspec.structs.fields(kind):
        assert re.search(rf"[`.]{field.name}`", keys), field.name


@pytest.mark.parametrize("name", sorted(RANGES | {"$id", "$match"}))
def test_every_placeholder_is_explained(name: str) -> None:
    assert f"`{name}`" in PAGE.partition("## Your own queries\n")[2].partition("\n## ")[0]


@pytest.mark.parametrize(
    "text", re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL), ids=lambda text: text[:30]
)
def test_every_file_that_is_shown_can_be_used(text: str, tmp_path: Path) -> None:
    path = tmp_path / "prometheus.yaml"
    path.write_text(text)

    assert read_configuration(path).servers
