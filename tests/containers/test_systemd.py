"""The units under a systemd that runs, installed by the commands of docs/operate.md."""

import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from compute_optimizer.jobs.demo import DemoFiles, write_demo_files
from tests.containers.conftest import key_in
from tests.documented import SHELL_BLOCK, section
from tests.local_docker import Docker
from tests.waiting import wait_until

pytestmark = pytest.mark.containers

API, WORKER = "compute-optimizer-api", "compute-optimizer-worker"
PROGRAM = "sudo -u compute-optimizer /opt/compute-optimizer/bin/compute-optimizer"
DATA = "--data-dir /var/lib/compute-optimizer"

AS_A_MACHINE = (
    *("--cgroupns", "host", "--volume", "/sys/fs/cgroup:/sys/fs/cgroup:rw"),
    *("--tmpfs", "/run", "--tmpfs", "/run/lock", "--env", "container=docker"),
    *("--cap-add", "SYS_ADMIN", "--security-opt", "seccomp=unconfined"),
    *("--security-opt", "apparmor=unconfined", "--security-opt", "systempaths=unconfined"),
)
"""What systemd wants of a container to run in it: to mount, and a cgroup of its own."""

CALL = """
import boto3
client = boto3.client('compute-optimizer', endpoint_url='http://127.0.0.1:8080',
    region_name='us-east-1', **{key})
print(client.get_enrollment_status()['status'],
    len(client.get_ec2_instance_recommendations()['instanceRecommendations']))
"""


@dataclass(frozen=True)
class Machine:
    """A container that systemd runs as it would a machine."""

    docker: Docker
    container: str

    def try_to(self, script: str) -> "subprocess.CompletedProcess[str]":
        words = ("exec", "--interactive", "--workdir", "/checkout", self.container)
        return self.docker.try_to(*words, "bash", "-e", given=script.encode())

    def run(self, script: str) -> str:
        """Run commands as root of the machine; return what they print."""
        done = self.try_to(script)
        assert done.returncode == 0, f"{script}\n{done.stdout}{done.stderr}\n{self.journal()}"
        return done.stdout.strip()

    def journal(self) -> str:
        return self.try_to("journalctl --no-pager --unit 'compute-optimizer*' --lines 40").stdout

    def wait_until_served(self, times: int) -> None:
        """Return once the API has said so often that it serves."""
        said = f"journalctl --no-pager --unit {API} --grep '^Serving on' | grep --count Serving"
        wait_until(
            lambda: self.try_to(said).stdout.strip() == str(times), self.journal, every_seconds=0.5
        )

    def told(self, unit: str, *names: str) -> list[str]:
        """Return properties of a unit."""
        return self.run(f"systemctl show --value --property {','.join(names)} {unit}").split()

    def call(self, printed: str) -> str:
        """Call the API with a key that `keys create` printed; return what the call says."""
        call = CALL.format(key=key_in(printed))
        return self.run(f"/opt/compute-optimizer/bin/python - <<'END'\n{call}\nEND")


@pytest.fixture
def machine(docker: Docker, build: Callable[[str], str], repository: Path) -> Iterator[Machine]:
    """A machine with the program where the docs install it, and the units in a checkout."""
    words = ("--user", "0", "--entrypoint", "/lib/systemd/systemd")
    container = docker.run("run", "--detach", *AS_A_MACHINE, *words, build("build"))
    try:
        docker.run("exec", container, "mkdir", "/checkout")
        docker.run("cp", str(repository / "deploy"), f"{container}:/checkout/deploy")
        found = Machine(docker, container)
        state = "systemctl is-system-running --wait || true"
        assert found.run(state) == "running", found.run("systemctl --failed --no-pager")
        yield found
    finally:
        docker.run("rm", "--force", "--volumes", container)


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> DemoFiles:
    """A generated fleet of which the metrics end yesterday."""
    yesterday = datetime.now(UTC).date() - timedelta(days=1)
    return write_demo_files(tmp_path_factory.mktemp("fleet"), yesterday, 30)


def test_units_that_are_installed_as_the_guide_says_serve_analyze_and_back_up(
    machine: Machine, repository: Path, fleet: DemoFiles
) -> None:
    install, first_commands = SHELL_BLOCK.findall(
        section((repository / "docs/operate.md").read_text(), "systemd")
    )
    # The first two lines install the program, which is there.
    machine.run("\n".join(install.splitlines()[2:]))
    machine.wait_until_served(1)
    printed = machine.run(first_commands)
    assert machine.call(printed) == "Active 0"

    _analyzes(machine, fleet)
    wait_until(lambda: machine.call(printed) != "Active 0", machine.journal, every_seconds=1)

    machine.run("systemctl start compute-optimizer-backup")
    (made,) = machine.run("ls /var/lib/compute-optimizer-backups").split()
    assert machine.run(f"ls /var/lib/compute-optimizer-backups/{made}")
    modes = machine.run("stat --format %a /var/lib/compute-optimizer*")
    assert modes.split() == ["700", "700"]

    machine.run(f"systemctl kill --signal KILL {API}")
    wait_until(lambda: machine.told(API, "NRestarts", "ActiveState") == ["1", "active"])
    machine.wait_until_served(2)

    machine.run(f"systemctl stop {API} {WORKER}")
    for unit in (API, WORKER):
        assert machine.told(unit, "Result", "ExecMainStatus") == ["success", "0"]
    assert machine.run("systemctl --failed --no-legend") == ""


def _analyzes(machine: Machine, fleet: DemoFiles) -> None:
    """Bring a fleet in, and have the worker analyze it under what its unit allows it."""
    machine.docker.run("cp", str(fleet.inventory.parent), f"{machine.container}:/fleet")
    metrics = " ".join(f"--metrics /fleet/{one.name}" for one in fleet.metrics)
    machine.run(
        f"chmod -R go+rX /fleet; cd /fleet\n"
        f"{PROGRAM} import --inventory /fleet/{fleet.inventory.name} {metrics} {DATA}\n"
        "mkdir --parents /etc/compute-optimizer\n"
        "echo COMPUTE_OPTIMIZER_SCHEDULE_ANALYSIS=2s > /etc/compute-optimizer/environment\n"
        f"systemctl restart {WORKER}"
    )
