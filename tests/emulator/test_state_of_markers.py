"""A state in the markers of tests, as the plugin takes it, and the examples of the page."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from compute_optimizer.emulator.handles import Emulator
from tests.emulating import START, client_of

PAGE = Path(__file__).parents[2] / "docs" / "emulator.md"

pytestmark = pytest.mark.compute_optimizer(
    clock=START, frozen=True, state="accounts: [{account_id: '222222222222'}]"
)


def names_of(running: Emulator) -> list[str]:
    answer = client_of(running).get_ec2_instance_recommendations()
    return sorted(one["instanceName"] for one in answer["instanceRecommendations"])


@pytest.mark.compute_optimizer(state="instances: [{name: class}]")
class TestMarkers:
    @pytest.mark.compute_optimizer(state="instances: [{name: test}]")
    def test_of_test_class_and_module_add_up(self, compute_optimizer: Emulator) -> None:
        assert names_of(compute_optimizer) == ["class", "test"]
        assert compute_optimizer.clock.now() == START
        status = client_of(compute_optimizer, "222222222222").get_enrollment_status()
        assert status["status"] == "Active"

    def test_do_not_reach_other_tests(self, compute_optimizer: Emulator) -> None:
        assert names_of(compute_optimizer) == ["class"]


def test_examples_of_the_page_pass(tmp_path: Path) -> None:
    blocks = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    examples = [one for one in blocks if "def test_" in one]
    for number, example in enumerate(examples):
        (tmp_path / f"test_example_{number}.py").write_text(example)
    environment = {name: value for name, value in os.environ.items() if "PYTEST" not in name}

    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert len(examples) >= 2
    assert done.returncode == 0, done.stdout + done.stderr
