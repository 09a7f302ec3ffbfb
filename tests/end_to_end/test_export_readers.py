"""Every export, written to moto's S3 and read back by a tool that people read files with."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore import xform_name

from compute_optimizer.model.recommendation import RecommendationError
from compute_optimizer.operations.enrollment import change_enrollment
from compute_optimizer.store.analysis_runs import Scope
from tests.buckets import content
from tests.end_to_end.conftest import ACCOUNT, REGION, Served
from tests.every_type import SAMPLES
from tests.export_readers import (
    DUCKDB_TYPES,
    EXPORTS,
    Described,
    by_duckdb,
)
from tests.exporting import finished
from tests.idleness import idle_recommendation
from tests.records import arn
from tests.written_runs import store_run


@pytest.fixture
def published(serve: Callable[..., Served], s3_url: str, s3: Any) -> Callable[[str], Served]:
    """Return a server that exports to moto's S3, with a resource of a type and one without."""

    def publish(resource_type: str) -> Served:
        served = serve(export_sink="s3", export_s3_endpoint=s3_url)
        change_enrollment(served.state, served.clock, ACCOUNT, "Active")
        idle = [idle_recommendation(1)] if resource_type == "Idle" else []
        found = [] if idle else [SAMPLES[resource_type]]
        missing = RecommendationError(arn(9, ACCOUNT), "UNSUPPORTED_RESOURCE", 'Not, "yet".\n')
        scope = Scope(ACCOUNT, REGION, "EbsVolume" if idle else resource_type)
        store_run(served.state, scope, found, [missing], idle=idle)
        return served

    return publish


@pytest.mark.parametrize("resource_type", sorted(EXPORTS))
def test_every_column_is_read_with_the_type_that_is_declared(
    published: Callable[[str], Served], s3: Any, bucket: str, tmp_path: Path, resource_type: str
) -> None:
    client = published(resource_type).client()
    export = getattr(client, xform_name(f"Export{EXPORTS[resource_type]}Recommendations"))

    place = export(s3DestinationConfig={"bucket": bucket})
    assert finished(client, place["jobId"])["status"] == "Complete"

    keys = place["s3Destination"]
    file = content(s3, bucket, keys["key"])
    described = Described(json.loads(content(s3, bucket, keys["metadataKey"])))
    duckdb_types, rows = by_duckdb(file, described, tmp_path)
    assert duckdb_types == [DUCKDB_TYPES[base] for base in described.base.values()]
    # What is idle is listed by itself; of every other type what has no recommendation is a row.
    assert len(rows) == (1 if resource_type == "Idle" else 2)
    first = dict(zip(described.base, rows[0], strict=True))
    (moment,) = described.moments
    assert first[moment] == SAMPLES[resource_type].last_refresh.replace(tzinfo=None)
    assert sum(cell is not None for cell in rows[0]) >= 12
    last = dict(zip(described.base, rows[-1], strict=True))
    if resource_type != "Idle":
        assert last["errorMessage"] == 'Not, "yet".\n'
    counts = [name for name in described.required if name.endswith("recommendations_count")]
    assert all(last[name] is not None for name in counts)


def test_all_exports_of_the_service_are_read() -> None:
    assert set(EXPORTS) == set(SAMPLES)
