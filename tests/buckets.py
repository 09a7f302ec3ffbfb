"""A store that speaks S3's API, for tests that export to it: moto's server, in this process."""

import logging
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from typing import Any
from uuid import uuid4

import boto3
import pytest
from botocore.config import Config

from compute_optimizer.store import State, tile_bucket
from compute_optimizer.store.rights import Rights
from compute_optimizer.store.tile_bucket import TileBucket
from compute_optimizer.store.tiles import TileStore

CREDENTIAL = "testing"
"""Both halves of the access key, which moto does not look at."""


@pytest.fixture(scope="session")
def s3_url() -> Iterator[str]:
    """URL of the server, stopped at the end."""
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import make_server

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    app = DomainDispatcherApplication(create_backend_app)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="session")
def s3_client(s3_url: str) -> Any:
    """A client of the server, made once: it reads all that S3 can do, which takes a while."""
    config = Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1})
    return boto3.session.Session(CREDENTIAL, CREDENTIAL).client(
        "s3", endpoint_url=s3_url, region_name="us-east-1", config=config
    )


@pytest.fixture
def s3(s3_client: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The client; the service finds credentials as it finds its own."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", CREDENTIAL)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", CREDENTIAL)
    return s3_client


@pytest.fixture
def bucket(s3: Any) -> str:
    """An empty, private bucket in us-east-1."""
    name = f"exports-{uuid4()}"
    s3.create_bucket(Bucket=name)
    return name


@pytest.fixture(scope="session")
def tiles_client(s3_url: str) -> Iterator[Any]:
    """The client of tiles, as the program makes it: once, as each of the program's processes."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, CREDENTIAL)
        for name, value in _found_by(s3_url).items():
            patch.setenv(name, value)
        tile_bucket.client.cache_clear()
        client = tile_bucket.client()
        tile_bucket.client.cache_clear()
    yield client
    client.close()


@pytest.fixture
def tiles_url(s3_url: str, bucket: str, tiles_client: Any, monkeypatch: pytest.MonkeyPatch) -> str:
    """A place for tiles in the bucket, and an environment in which boto3 finds its store."""
    for name, value in _found_by(s3_url).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(tile_bucket, "client", lambda: tiles_client)
    return f"s3://{bucket}/fleet"


def _found_by(s3_url: str) -> dict[str, str]:
    """Return the environment in which boto3 finds the store."""
    return {
        "AWS_ENDPOINT_URL_S3": s3_url,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def in_bucket(root: Path, url: str, state: State) -> TileStore:
    """Return a store of tiles in a bucket."""
    return TileStore(root, place=TileBucket(url, Rights(state.url)))


def keys_in(s3: Any, bucket: str) -> list[str]:
    """Return the keys of a bucket."""
    return [one["Key"] for one in s3.list_objects_v2(Bucket=bucket).get("Contents", [])]


def unfinished_in(s3: Any, bucket: str) -> list[str]:
    """Return the keys of uploads that were neither completed nor aborted."""
    return [one["Key"] for one in s3.list_multipart_uploads(Bucket=bucket).get("Uploads", [])]


def content(s3: Any, bucket: str, key: str) -> bytes:
    """Return an object."""
    found: bytes = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    return found
