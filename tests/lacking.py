"""What a machine lacks that a test needs: it is skipped there, and fails where CI=true."""

import os
from typing import NoReturn

import pytest


def lacking(reason: str) -> NoReturn:
    """End a test for what is missing, told with what to do; on a machine of CI it must be there."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)
