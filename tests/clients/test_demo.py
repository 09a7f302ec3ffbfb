"""The AWS CLI command that the demo prints works as it is."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.clients.conftest import PROGRAM
from tests.clients.foreign import ROOT

pytestmark = pytest.mark.clients


def test_printed_command_of_the_aws_cli_answers_with_recommendations(tmp_path: Path) -> None:
    words = (*PROGRAM, "demo", "--port", "0", "--data-dir", str(tmp_path / "demo"))
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as demo:
        try:
            assert demo.stdout is not None
            printed = "".join(iter(demo.stdout.readline, "Stop with Ctrl-C.\n"))
            command = re.search(r"# AWS CLI.*?\n(.*?--max-results \d+)", printed, re.DOTALL)
            assert command is not None, printed
            path = f"{ROOT / '.venv-client-awscli' / 'bin'}:{os.environ['PATH']}"
            ran = subprocess.run(
                ["sh", "-c", command[1]],
                env=os.environ | {"PATH": path, "HOME": str(tmp_path)},
                capture_output=True,
                text=True,
                timeout=60,
            )
        finally:
            demo.terminate()

    assert ran.returncode == 0, ran.stderr
    found = json.loads(ran.stdout)["instanceRecommendations"]
    assert [one["accountId"] for one in found] == ["222222222222"] * 3
