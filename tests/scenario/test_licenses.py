"""SQL Server on some database machines of a generated fleet."""

from datetime import date

import numpy as np

from compute_optimizer.model.metrics import Window
from compute_optimizer.scenario.fleet import generate_fleet
from compute_optimizer.scenario.licenses import (
    FEATURES,
    generate_license_samples,
    generate_licenses,
)

FLEET = generate_fleet(111)
DAY = date(2026, 3, 14)


def test_some_database_machines_have_a_license_the_same_every_time() -> None:
    licenses, used = generate_licenses(111, FLEET)

    roles = {one.resource.arn: one.resource.tags["Application"] for one in FLEET}
    assert {roles[arn] for arn in licenses} == {"db"}
    assert 0 < len(licenses) < sum(role == "db" for role in roles.values())
    assert generate_licenses(111, FLEET) == (licenses, used)


def test_what_is_counted_is_counted_where_a_source_is_named() -> None:
    licenses, used = generate_licenses(111, FLEET)

    assert set(used) == {arn for arn, one in licenses.items() if one.metrics_source_arn}
    assert set(used) < set(licenses)
    assert {licenses[arn].edition for arn, count in used.items() if count} == {"Enterprise"}


def test_counts_are_the_same_all_the_time() -> None:
    samples = generate_license_samples({"b": 2, "a": 0}, Window(DAY, DAY))

    assert samples.resource_arns == ("a", "b")
    assert np.array_equal(samples.series[FEATURES], np.repeat([[0.0], [2.0]], 288, axis=1))


def test_a_fleet_without_licenses_sends_nothing_of_them() -> None:
    samples = generate_license_samples({}, Window(DAY, DAY))

    assert samples.series[FEATURES].shape == (0, 288)
