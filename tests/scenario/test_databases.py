from datetime import date

import numpy as np
import pytest

from compute_optimizer.catalog.database_classes import load_database_classes
from compute_optimizer.model.metrics import Window
from compute_optimizer.scenario.databases import (
    MAKE_SHARES,
    MAKES,
    generate_database_samples,
    generate_databases,
)
from compute_optimizer.scenario.fleet import generate_fleet

FLEET = generate_fleet(111)
DAYS = Window(date(2026, 3, 1), date(2026, 3, 2))


def test_databases_are_the_same_for_the_same_seed_only() -> None:
    assert generate_databases(1, FLEET) == generate_databases(1, FLEET)
    assert generate_databases(1, FLEET) != generate_databases(2, FLEET)


def test_every_make_is_one_that_gets_recommendations() -> None:
    classes = load_database_classes()
    for make in MAKES.values():
        assert classes.supported(make.engine)[classes.types.index[make.db_class]]
    assert sum(MAKE_SHARES) == pytest.approx(1.0)
    assert len(MAKE_SHARES) == len(MAKES)


def test_a_cluster_has_a_writer_and_a_reader_of_the_classes_that_it_states() -> None:
    found = [one.resource for one in generate_databases(111, FLEET)]
    clusters = [one for one in found if one.is_cluster]

    assert clusters
    assert len({one.arn for one in found}) == len(found)
    for cluster in clusters:
        members = [one for one in found if one.cluster == cluster.resource_id]
        assert tuple(one.instance_type for one in members) == cluster.member_classes
        assert [one.writer for one in members] == [True, False]


def test_instances_and_clusters_send_metrics_of_their_own() -> None:
    hosted = generate_databases(111, FLEET)
    clusters = np.array([one.resource.is_cluster for one in hosted])

    sent = {
        key.metric: matrix
        for key, matrix in generate_database_samples(hosted, DAYS, 1).series.items()
    }

    assert np.isnan(sent["CPUUtilization"][clusters]).all()
    assert np.isfinite(sent["CPUUtilization"][~clusters]).all()
    assert np.isfinite(sent["VolumeReadIOPs"][clusters]).all()
    assert np.isnan(sent["VolumeReadIOPs"][~clusters]).all()
    for matrix in sent.values():
        assert matrix.shape == (len(hosted), 2 * 288)
        assert not (matrix < 0).any()
