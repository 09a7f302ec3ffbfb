"""Strict mode: the emulator itself fails a test whose program calls it in a way that goes wrong.

No assertion is needed: not knowing what is wrong is where strict mode helps.
"""

from pathlib import Path

import pytest

FLEET = Path(__file__).with_name("fleet.yaml")

pytestmark = pytest.mark.compute_optimizer(state=FLEET, strict=True)


def test_findings_are_compared_as_they_are_sent(tool, client):
    tool.over_provisioned(client)


def test_no_page_is_left_out(tool, client):
    tool.monthly_savings(client)
