"""A real Docker daemon of the tests' own, and a base for images that is made of Debian's packages.

No registry of images is asked, and a daemon that is there for others is left alone.
"""

import os
import shutil
import ssl
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.lacking import lacking
from tests.waiting import SECONDS, wait_until

BASE = "debian-with-python"
"""The image that the recipe builds on here, in place of python:3.11-slim."""

SUITE = "bookworm"
"""Debian 12, whose Python is that of the recipe: 3.11."""

PACKAGES = "ca-certificates,dbus,postgresql,python3,python3-venv,sudo,systemd"
"""What the recipe, the compose file's database and the units want of a machine."""


@dataclass(frozen=True)
class Docker:
    """A daemon that runs."""

    environment: Mapping[str, str]

    def try_to(self, *words: str, given: bytes = b"") -> "subprocess.CompletedProcess[str]":
        """Run a command of `docker` to its end, whatever that is."""
        done = subprocess.run(
            [_program("docker"), *words],
            env=self.environment,
            input=given,
            capture_output=True,
            timeout=2 * SECONDS,
        )
        out, errors = done.stdout.decode(), done.stderr.decode()
        return subprocess.CompletedProcess(done.args, done.returncode, out, errors)

    def run(self, *words: str, given: bytes = b"") -> str:
        """Run a command of `docker`, which has to succeed, and return what it printed."""
        done = self.try_to(*words, given=given)
        assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
        return done.stdout.strip()

    def state(self, container: str, field: str) -> str:
        """Return a field of what `docker inspect` tells of a container, such as State.ExitCode."""
        return self.run("inspect", "--format", f"{{{{.{field}}}}}", container)

    def wait_until_healthy(self, container: str) -> None:
        """Return once the health check of a container has succeeded."""
        wait_until(
            lambda: self.state(container, "State.Health.Status") == "healthy",
            lambda: f"{container} is not healthy: {self.try_to('logs', container)}",
            every_seconds=0.5,
        )


def _program(name: str) -> str:
    found = shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
    if found is None or os.geteuid() != 0:
        lacking(f"needs root, and {name} (Debian packages docker.io, iptables, debootstrap)")
    return found


@contextmanager
def running(folder: Path) -> Iterator[Docker]:
    """Run a daemon that keeps everything in a folder; it and its containers end with the block."""
    socket = folder / "docker.sock"
    command = [
        _program("dockerd"),
        f"--host=unix://{socket}",
        f"--data-root={folder / 'data'}",
        f"--exec-root={folder / 'run'}",
        f"--pidfile={folder / 'docker.pid'}",
    ]
    docker = Docker(os.environ | {"DOCKER_HOST": f"unix://{socket}", "DOCKER_CONFIG": str(folder)})
    log = folder / "docker.log"
    with log.open("wb") as told, subprocess.Popen(command, stdout=told, stderr=told) as process:
        try:
            wait_until(lambda: _answers(docker, process, log), log.read_text, every_seconds=0.2)
            yield docker
        finally:
            process.terminate()
            process.wait(SECONDS)
            # The daemon leaves it mounted, so that its folder could not be removed.
            subprocess.run(["umount", folder / "run/netns/default"], check=False)


def _answers(docker: Docker, process: "subprocess.Popen[bytes]", log: Path) -> bool:
    assert process.poll() is None, f"dockerd has ended: {log.read_text()}"
    return docker.try_to("info").returncode == 0


def make_base(docker: Docker, folder: Path) -> None:
    """Make the image BASE in a daemon: Python, PostgreSQL and systemd, as Debian packages them."""
    root = folder / "debian"
    command = [_program("debootstrap"), "--variant=minbase", f"--include={PACKAGES}", SUITE]
    made = subprocess.run([*command, str(root)], capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stdout + made.stderr
    (root / "usr/bin/python").symlink_to("python3")
    # Whom this machine trusts, so that pip reaches in a build what it reaches here.
    if trusted := ssl.get_default_verify_paths().cafile:
        shutil.copy(trusted, root / "etc/ssl/certs/ca-certificates.crt")
    packed = Path(shutil.make_archive(str(root), "tar", root))
    docker.run("import", str(packed), BASE)
    shutil.rmtree(root)
    packed.unlink()
