"""The AWS CLI command that the demo prints works as it is."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.clients.conftest import Demo
from tests.clients.foreign import ROOT

pytestmark = pytest.mark.clients


def test_printed_command_of_the_aws_cli_answers_with_recommendations(
    demo: Demo, tmp_path: Path
) -> None:
    command = re.search(r"# AWS CLI.*?\n(.*?--max-results \d+)", demo.printed, re.DOTALL)
    assert command is not None, demo.printed
    path = f"{ROOT / '.venv-client-awscli' / 'bin'}:{os.environ['PATH']}"
    ran = subprocess.run(
        ["sh", "-c", command[1]],
        env=os.environ | {"PATH": path, "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert ran.returncode == 0, ran.stderr
    found = json.loads(ran.stdout)["instanceRecommendations"]
    assert [one["accountId"] for one in found] == ["222222222222"] * 3
