"""The environment of a process that a test starts."""

import os

from compute_optimizer.config import ENVIRONMENT_PREFIX


def without_settings() -> dict[str, str]:
    """Return this process's environment without settings of the program: they are the user's."""
    return {k: v for k, v in os.environ.items() if not k.startswith(ENVIRONMENT_PREFIX)}
