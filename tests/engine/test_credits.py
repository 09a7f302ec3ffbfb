import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compute_optimizer.engine import credits
from compute_optimizer.engine.arrays import Singles
from compute_optimizer.engine.credits import BALANCE_SLOTS, affordable, shortages
from compute_optimizer.model.metrics import SLOTS_PER_DAY

DAY = SLOTS_PER_DAY


def shortages_by_hand(series: list[float], baseline: float) -> int:
    """The rule, slot by slot."""
    balance, found = 0.0, 0
    for use in series:
        if np.isnan(use):
            continue
        balance = balance + baseline - use
        found += balance < 0
        balance = min(max(balance, 0.0), baseline * BALANCE_SLOTS)
    return found


# Multiples of 1/4 are exact in float32, so that both ways count the same.
uses = st.integers(0, 400).map(lambda quarter: quarter / 4) | st.just(float("nan"))
rows = st.lists(st.lists(uses, min_size=2 * DAY, max_size=2 * DAY), min_size=1, max_size=3)


@settings(max_examples=20)
@given(rows, st.integers(1, 300).map(lambda quarter: quarter / 4))
def test_simulation_follows_the_rule_slot_by_slot(
    series: list[list[float]], baseline: float
) -> None:
    found = shortages(np.array(series, np.float32), np.full(len(series), baseline))

    assert found.tolist() == [shortages_by_hand(row, baseline) for row in series]


def test_use_at_the_baseline_never_runs_out() -> None:
    assert shortages(np.full((1, DAY), 20, np.float32), np.array([20.0])).tolist() == [0]


def test_credits_of_a_quiet_night_carry_a_busy_morning() -> None:
    # 12 h at 0 % earn 144 x 20; at 60 % each slot spends 40 more than it earns: 72 slots = 6 h.
    night, morning = [0.0] * 144, [60.0] * 72
    series = np.array([night + morning, [*night, *morning[1:], 60.0]], np.float32)

    assert shortages(series, np.array([20.0, 20.0])).tolist() == [0, 0]
    assert shortages(np.append(series, [[60], [60]], axis=1), np.array([20.0] * 2)).tolist() == [
        1,
        1,
    ]


def test_balance_holds_no_more_than_a_day_earns() -> None:
    # A week of rest still carries 288 x 20 / (100 - 20) = 72 slots at 100 %, and not one more.
    rest, busy = np.zeros(7 * DAY), np.full(73, 100.0)
    series = np.concatenate([rest, busy]).astype(np.float32)[None, :]

    assert shortages(series, np.array([20.0])).tolist() == [1]


def test_stopped_time_earns_nothing() -> None:
    stopped = np.full(DAY, np.nan)
    series = np.concatenate([stopped, [30.0]]).astype(np.float32)[None, :]

    assert shortages(series, np.array([20.0])).tolist() == [1]


def spiky(random: np.random.Generator, rows: int) -> Singles:
    level = random.gamma(1.5, 12, (rows, 1))
    bursts = random.random((rows, 4 * DAY)) < 0.2
    return np.minimum(level * (0.4 + 3 * bursts), 100).astype(np.float32)


@pytest.mark.parametrize("few_pairs", [0, 1_000])
def test_halving_gives_the_verdict_of_trying_every_type(
    few_pairs: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(credits, "FEW_PAIRS", few_pairs)
    random = np.random.default_rng(3)
    series = spiky(random, 40)
    baselines = random.uniform(2, 60, (40, 9))
    allowed = random.uniform(0, 0.005, (40, 9))
    wanted = random.random((40, 9)) < 0.8

    found = affordable(series, baselines, allowed, wanted, 99.5)

    tried = np.stack([shortages(series, column) for column in baselines.T], axis=1)
    brute = wanted & (tried / series.shape[1] <= allowed)
    assert (found == brute).all()
    assert 0 < found.sum() < wanted.sum()
