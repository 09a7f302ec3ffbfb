"""The risk model that ships."""

import numpy as np

from compute_optimizer.backtest.fleet import CPU, DISK, MEMORY, NETWORK
from compute_optimizer.catalog.risk_prior import load_risk_prior
from compute_optimizer.engine.peaks import FEATURES, SHIFT_LOG_ODDS
from compute_optimizer.resources.ec2.dimensions import PEAK_MODELS

PRIOR = load_risk_prior()


def test_every_dimension_that_is_predicted_has_a_model() -> None:
    assert set(PRIOR.peaks) == {CPU, MEMORY, DISK, NETWORK} == set(PEAK_MODELS.values())


def test_models_are_distributions_over_the_engine_s_features() -> None:
    for model in PRIOR.peaks.values():
        assert len(model.centre) == len(model.spread) == len(FEATURES)
        assert len(model.weights) == 1 + len(FEATURES)
        assert (np.diff(model.ratios) >= 0).all()
        assert (np.diff(model.exceeded) < 0).all()
        assert 0 < model.exceeded[-1] < model.exceeded[0] < 1
        assert model.widths[-1] == (14.0, 1.0)


def test_the_card_names_source_limits_and_scores() -> None:
    card = PRIOR.card

    assert "Bitbrains" in card["source"]
    assert card["limits"]
    assert card["shift_log_odds"] == SHIFT_LOG_ODDS
    assert len(card["tested"]) == 4
