"""The file of other limits of idleness, and what an analysis makes of it."""

from pathlib import Path

import numpy as np
import pytest

from compute_optimizer.catalog import load_instance_types
from compute_optimizer.errors import InvalidInput
from compute_optimizer.jobs.idle_limits import known_limits, read_idle_limits
from compute_optimizer.model.idle_limits import IdleLimits
from compute_optimizer.resources.ec2.idleness import RULES
from compute_optimizer.resources.idleness import idle_recommendations, limited
from tests.fleets import AS_OF, CPU, counter, instance, shard

PAGE = Path(__file__).parents[2] / "docs" / "idle.md"


def stated(folder: Path, text: str) -> IdleLimits:
    path = folder / "limits.yaml"
    path.write_text(text)
    return read_idle_limits(str(path))


def descriptions(limits: IdleLimits, cpu: float, megabytes: float) -> list[str]:
    """Return why an instance idles that has so much CPU and so much network on its first day."""
    network = np.zeros(14 * 288)
    network[:288] = megabytes * 1e6 / 288
    one = instance(1, "m5.large")
    samples = shard([one], {CPU: cpu, counter("NetworkIn"): network, counter("NetworkOut"): 0})
    found = idle_recommendations(
        limited(RULES[0], limits), [one], samples, load_instance_types(), as_of=AS_OF
    )
    return [idle.description for idle in found]


def test_without_a_file_the_published_limits_hold() -> None:
    limits = read_idle_limits("")

    assert limits == {}
    assert descriptions(limits, 4.9, 4.9) == [
        "The peak CPU utilization was below 5% and the network I/O was less than 5 MB/day over the "
        "14-day lookback period."
    ]
    assert descriptions(limits, 5.0, 0) == descriptions(limits, 1, 5.1) == []


def test_a_stated_limit_takes_the_place_of_the_published_and_is_told(tmp_path: Path) -> None:
    limits = stated(tmp_path, "EC2Instance: {cpu_percent: 2.5}")

    assert descriptions(limits, 2.5, 0) == []
    (told,) = descriptions(limits, 2.4, 4.9)
    assert "below 2.5% and the network I/O was less than 5 MB/day" in told


def test_a_larger_limit_finds_more(tmp_path: Path) -> None:
    limits = stated(tmp_path, "EC2Instance: {network_megabytes_per_day: 20}")

    assert descriptions(limits, 1, 20.1) == []
    (told,) = descriptions(limits, 1, 19.9)
    assert "less than 20 MB/day" in told


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("EC2Instance: {cpu_percent: [}", "limits.yaml: is no valid YAML"),
        ("5", "Expected `object`, got `int`; expected a mapping such as"),
        ("Ec2Instance: {cpu_percent: 3}", "type 'Ec2Instance' can be stated; expected .*EC2Instan"),
        ("NatGateway: {connections: 3}", "type 'NatGateway' can be stated"),
        ("EC2Instance: 5", "EC2Instance states 5; expected figures"),
        ("EC2Instance: {cpu: 5}", "no limit 'cpu'; expected one of cpu_percent"),
        ("EC2Instance: {cpu_percent: low}", "cpu_percent is 'low'; expected a number above 0"),
        ("EC2Instance: {cpu_percent: 0}", "cpu_percent is 0; .* such as the published 5"),
        ("EC2Instance: {cpu_percent: .nan}", "cpu_percent is nan"),
        ("EC2Instance: {cpu_percent: true}", "cpu_percent is True"),
    ],
)
def test_what_means_nothing_is_named(tmp_path: Path, text: str, expected: str) -> None:
    with pytest.raises(InvalidInput, match=expected):
        stated(tmp_path, text)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"none\.yaml: cannot be read"):
        read_idle_limits(str(tmp_path / "none.yaml"))


def test_the_page_names_every_limit_with_its_type() -> None:
    rows = [line for line in PAGE.read_text().splitlines() if line.startswith("| `")]

    for kind, limits in known_limits().items():
        for name in limits:
            assert any(f"`{kind}`" in row and f"`{name}`" in row for row in rows), (kind, name)
