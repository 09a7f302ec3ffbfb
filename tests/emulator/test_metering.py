"""What resources of a state send, sample by sample."""

import numpy as np

from compute_optimizer.emulator.loads import period_before
from compute_optimizer.emulator.metering import series_of
from compute_optimizer.emulator.state import Function
from compute_optimizer.resources.functions.failures import ERRORS, THROTTLES
from compute_optimizer.resources.functions.use import INVOCATIONS
from tests.emulating import START

DAY = period_before(START, 1)


def test_a_function_tells_what_failed_and_what_was_turned_away_of_its_calls() -> None:
    one = Function("worker", invocations=300, errors=2, throttles=25)

    found = series_of(one, DAY)

    sent = np.isfinite(found[INVOCATIONS])
    # In the busiest slot 2 % of 300 invocations fail, and 100 calls are none: 25 % of 400.
    for key, most in ((INVOCATIONS, 300), (ERRORS, 6), (THROTTLES, 100)):
        assert np.array_equal(np.isfinite(found[key]), sent)
        assert np.nanmax(found[key]) == most
    failed, tried = found[ERRORS][sent], found[INVOCATIONS][sent]
    # To the next whole number.
    assert np.abs(failed - tried * 0.02).max() <= 0.5


def test_a_function_of_which_nothing_fails_says_so() -> None:
    found = series_of(Function("worker"), DAY)

    # CloudWatch has zeros where there were calls, so that "nothing failed" differs from "unknown".
    for key in (ERRORS, THROTTLES):
        assert np.nansum(found[key]) == 0
        assert np.isfinite(found[key]).any()
