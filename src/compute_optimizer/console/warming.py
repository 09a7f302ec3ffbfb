"""What the first visitor would otherwise wait for, done when the program starts."""

from threading import Thread

import numpy as np
import pyarrow as pa

from compute_optimizer.catalog.risk_prior import load_risk_prior
from compute_optimizer.console.rendering import environment
from compute_optimizer.resources import RESOURCE_TYPES


def warm(prefix: str) -> None:
    """Compile the templates, and load the catalogs and what reading samples loads."""
    templates = environment(prefix)
    for name in templates.list_templates():
        templates.get_template(name)
    for kind in RESOURCE_TYPES:
        kind.catalog()
    load_risk_prior()
    # Where pandas is installed, pyarrow loads it with the first array: a second, or more.
    pa.array(np.zeros(1)).to_numpy()


def warm_in_background(prefix: str) -> None:
    """Do that in a thread which ends with the program."""
    Thread(target=warm, args=(prefix,), name="console warming", daemon=True).start()
