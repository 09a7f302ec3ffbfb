"""A Docker daemon for all tests here, with the images that the recipe makes."""

import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import botocore.session
import pytest
from botocore.client import BaseClient
from botocore.config import Config

from tests.local_docker import BASE, Docker, make_base, running

Start = Callable[..., str]
"""From the words of `docker run` to the container's id."""

Connect = Callable[[str, str], BaseClient]
"""From an endpoint and what `keys create` printed to a client."""


def key_in(printed: str) -> dict[str, str]:
    """Return the key that `keys create` printed, by the names that boto3 has for its parts."""
    return dict(re.findall(r"^(aws_\w+) = (\S+)", printed, re.MULTILINE))


@pytest.fixture(scope="session")
def docker() -> Iterator[Docker]:
    """A daemon of these tests' own, with the base of the images; all of it is gone afterwards."""
    with ExitStack() as stack:
        # Not pytest's folder: sockets want a short path, and it would keep gigabytes.
        folder = Path(tempfile.mkdtemp(prefix="docker-"))
        stack.callback(shutil.rmtree, folder)
        found = stack.enter_context(running(folder))
        make_base(found, folder)
        yield found


@pytest.fixture(scope="session")
def build(docker: Docker, repository: Path) -> Callable[[str], str]:
    """Build a stage of the recipe as the docs say, and return its image."""

    def built(stage: str) -> str:
        tag = f"optimizer-{stage}"
        words = ("--network", "host", "--build-arg", f"PYTHON={BASE}", "--target", stage)
        file = str(repository / "Containerfile")
        docker.run("build", *words, "-f", file, "-t", tag, str(repository))
        return tag

    return built


@pytest.fixture(scope="session")
def service_image(build: Callable[[str], str]) -> str:
    return build("service")


@pytest.fixture(scope="session")
def emulator_image(build: Callable[[str], str]) -> str:
    return build("emulator")


@pytest.fixture
def start(docker: Docker) -> Iterator[Start]:
    """Start containers in the background; they are removed afterwards, with their volumes."""
    started: list[str] = []

    def run(*words: str) -> str:
        started.append(docker.run("run", "--detach", *words))
        return started[-1]

    yield run
    for container in started:
        docker.try_to("rm", "--force", "--volumes", container)  # A test may have removed it.


@pytest.fixture
def connect() -> Connect:
    """Make clients whose key is read from what `keys create` prints."""

    def connected(endpoint: str, printed: str) -> BaseClient:
        return botocore.session.Session().create_client(
            "compute-optimizer",
            endpoint_url=endpoint,
            region_name="us-east-1",
            config=Config(retries={"total_max_attempts": 1}),
            **key_in(printed),
        )

    return connected
