"""What `compute-optimizer serve --ephemeral --state FILE` starts with."""

from pathlib import Path

from tests.cli.conftest import Begin
from tests.emulating import client_at

FLEET = """\
instances:
  - {name: web, instance_type: m5.4xlarge, load: "diurnal, 20 % peak", count: 3}
"""


def test_it_starts_with_what_the_file_says(begin: Begin, tmp_path: Path) -> None:
    (tmp_path / "fleet.yaml").write_text(FLEET)
    told = begin("--state", str(tmp_path / "fleet.yaml")).out.readline()
    client = client_at(told.split()[2])

    found = client.get_ec2_instance_recommendations()["instanceRecommendations"]
    assert sorted(one["instanceName"] for one in found) == ["web-1", "web-2", "web-3"]


def test_a_file_that_says_what_cannot_be_is_refused_by_its_place(
    begin: Begin, tmp_path: Path
) -> None:
    (tmp_path / "fleet.yaml").write_text("instances: [{name: web, instance_type: 3}]")
    process = begin("--state", str(tmp_path / "fleet.yaml"))
    code, errors = process.wait(), process.err.read()

    assert code == 2
    assert "fleet.yaml" in errors
    assert "instance_type" in errors
