"""What `compute-optimizer serve --ephemeral --state FILE` starts with."""

import subprocess
from pathlib import Path

from tests.cli.test_serve_ephemeral import Start, client_at, first_line, start
from tests.waiting import SECONDS

__all__ = ["start"]


def url_of(process: "subprocess.Popen[str]") -> str:
    return first_line(process).split()[2]


FLEET = """\
instances:
  - {name: web, instance_type: m5.4xlarge, load: "diurnal, 20 % peak", count: 3}
"""


def test_it_starts_with_what_the_file_says(start: Start, tmp_path: Path) -> None:
    (tmp_path / "fleet.yaml").write_text(FLEET)
    client = client_at(url_of(start("--state", str(tmp_path / "fleet.yaml"))))

    found = client.get_ec2_instance_recommendations()["instanceRecommendations"]
    assert sorted(one["instanceName"] for one in found) == ["web-1", "web-2", "web-3"]


def test_a_file_that_says_what_cannot_be_is_refused_by_its_place(
    start: Start, tmp_path: Path
) -> None:
    (tmp_path / "fleet.yaml").write_text("instances: [{name: web, instance_type: 3}]")
    process = start("--state", str(tmp_path / "fleet.yaml"))
    _, errors = process.communicate(timeout=SECONDS)

    assert process.returncode == 2
    assert "fleet.yaml" in errors
    assert "instance_type" in errors
