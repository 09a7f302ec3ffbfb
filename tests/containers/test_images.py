"""The images: built, started as docs/containers.md says, called from outside, and ended."""

import json
import re
import signal
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from tests.containers.conftest import Connect, Start
from tests.local_docker import Docker
from tests.ports import free_port
from tests.waiting import wait_until

pytestmark = pytest.mark.containers

PRIVATE = "COMPUTE_OPTIMIZER_I_KNOW_THIS_PORT_IS_PRIVATE=true"
NEW_KEY = ("keys", "create", "--account", "111111111111", "--name", "me")
ALL = ("--allow", "compute-optimizer:*")
ANY_KEY = "aws_access_key_id = any\naws_secret_access_key = any"


def published(port: int) -> tuple[str, str]:
    return "--publish", f"127.0.0.1:{port}:8080"


def test_the_emulator_wants_to_be_told_that_its_port_is_private(
    docker: Docker, emulator_image: str
) -> None:
    ended = docker.try_to("run", "--rm", *published(free_port()), emulator_image)

    assert ended.returncode == 2
    assert "--i-know-this-port-is-private" in ended.stderr


def test_the_emulator_answers_from_a_container_in_which_only_tmp_can_be_written(
    docker: Docker, emulator_image: str, start: Start, connect: Connect
) -> None:
    port = free_port()
    options = ("--read-only", "--tmpfs", "/tmp", "--env", PRIVATE, *published(port))
    container = start(*options, emulator_image)
    docker.wait_until_healthy(container)

    answer = connect(f"http://127.0.0.1:{port}", ANY_KEY).get_enrollment_status()

    assert answer["status"] == "Inactive"
    docker.run("stop", container)
    assert docker.state(container, "State.ExitCode") == "0"


def test_the_service_knows_only_its_keys_and_keeps_them_in_its_volume(
    docker: Docker, service_image: str, start: Start, connect: Connect
) -> None:
    port = free_port()
    endpoint = f"http://127.0.0.1:{port}"
    words = (*published(port), "--volume", "keeping-keys:/data", service_image)
    first = start(*words)
    docker.wait_until_healthy(first)
    key = docker.run("exec", first, "compute-optimizer", *NEW_KEY, *ALL)

    assert connect(endpoint, key).get_enrollment_status()["status"] == "Inactive"
    with pytest.raises(ClientError, match="UnrecognizedClientException"):
        connect(endpoint, ANY_KEY).get_enrollment_status()

    docker.run("stop", first)
    assert docker.state(first, "State.ExitCode") == "0"
    docker.run("rm", first)
    docker.wait_until_healthy(start(*words))
    assert connect(endpoint, key).get_enrollment_status()["status"] == "Inactive"


def test_a_worker_works_beside_the_service_on_the_same_volume(
    docker: Docker, service_image: str, start: Start
) -> None:
    volume = ("--volume", "shared:/data")
    service = start(*volume, service_image)
    docker.wait_until_healthy(service)
    worker = start(*volume, "--no-healthcheck", service_image, "worker")

    def worked() -> bool:
        told = docker.run("exec", service, "compute-optimizer", "status", "--output", "json")
        runs = {job["job"]: job["lastRun"] for job in json.loads(told)["jobs"]}
        return bool(runs["retention"])

    wait_until(worked, lambda: docker.try_to("logs", worker), every_seconds=0.5)
    docker.run("stop", worker)
    assert docker.state(worker, "State.ExitCode") == "0"


def handles_sigterm(process: int) -> bool:
    """Return whether the program has begun, behind the start of Python itself."""
    status = Path(f"/proc/{process}/status").read_text()
    (caught,) = re.findall(r"^SigCgt:\s*(\w+)$", status, re.MULTILINE)
    return bool(int(caught, 16) >> (signal.SIGTERM - 1) & 1)


@pytest.mark.parametrize("command", [["serve", "--host", "0.0.0.0"], ["worker"]])
def test_it_ends_when_it_is_stopped_before_it_listens_to_signals(
    docker: Docker, service_image: str, start: Start, command: list[str]
) -> None:
    container = start("--no-healthcheck", service_image, *command)
    process = int(docker.state(container, "State.Pid"))
    wait_until(lambda: handles_sigterm(process), every_seconds=0.002)

    docker.run("stop", container)

    # 137 is what the engine reports of a container that it had to kill.
    assert docker.state(container, "State.ExitCode") in ("0", "143")


def test_it_runs_as_a_user_that_can_write_nothing_but_its_data(
    docker: Docker, service_image: str
) -> None:
    writable_folders = "find / -xdev -type d -writable -not -path '/proc/*' 2> /dev/null"
    # `find` fails for what the user may not even read.
    look = f"id; ls -lAd /data; ls -A /data; {writable_folders} || true"
    user, data, *writable = docker.run(
        "run", "--rm", "--entrypoint", "sh", service_image, "-c", look
    ).splitlines()

    assert user == (
        "uid=10001(compute-optimizer) gid=10001(compute-optimizer) groups=10001(compute-optimizer)"
    )
    assert data.startswith("drwx------ 2 compute-optimizer compute-optimizer ")
    # Nothing is in /data, or its names stood first. It is a volume, and so no part of `-xdev`.
    assert "/tmp" in writable
    assert set(writable) <= {"/data", "/run/lock", "/tmp", "/var/tmp"}
