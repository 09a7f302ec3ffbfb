"""A fleet's own risk model: what it rests on, and what it says of itself."""

import msgspec
import pytest

from compute_optimizer.backtest.fitting import fit_fleet
from compute_optimizer.backtest.fleet import CPU, MEMORY
from compute_optimizer.catalog import load_instance_types
from compute_optimizer.errors import InvalidInput
from compute_optimizer.model.risk import USUAL_INCIDENT_USD, RiskModel
from tests.backtest.fleets import fleet_of, levels, random_fleet

TYPES = load_instance_types()


@pytest.fixture(scope="module")
def model() -> RiskModel:
    """What a fleet of 40 machines and 46 days comes to."""
    return fit_fleet(random_fleet(40, 46, seed=11), TYPES)


def test_every_dimension_of_the_fleet_gets_a_model(model: RiskModel) -> None:
    assert set(model.peaks) == {CPU, MEMORY}


def test_the_card_says_what_it_rests_on_and_how_it_did(model: RiskModel) -> None:
    card = model.card

    assert (card["machines"], card["days"]) == (40, 46)
    # Windows of 14 and 14 days that end with day 46, 39 and 32.
    assert card["windows"] == [[32, 14, 14], [25, 14, 14], [18, 14, 14]]
    assert [one["origin"] for one in card["tested"]] == ["2026-01-19", "2026-02-02"]
    assert all(one["resources"] > 0 for one in card["tested"])


def test_stricter_shares_hold_a_violation_dearer(model: RiskModel) -> None:
    prices = list(model.incident_usd.values())

    assert prices == sorted(prices, reverse=True)


def test_equal_fleets_give_equal_models(model: RiskModel) -> None:
    assert fit_fleet(random_fleet(40, 46, seed=11), TYPES) == model


def test_a_model_survives_being_written_down(model: RiskModel) -> None:
    again = msgspec.json.decode(msgspec.json.encode(model), type=RiskModel)

    assert again == model


def test_too_small_a_fleet_is_refused() -> None:
    with pytest.raises(InvalidInput, match="fewer than 30 machines with samples before and after"):
        fit_fleet(fleet_of(levels([0.5, 0.4], 28), [2, 2]), TYPES)


def test_without_a_share_kept_to_the_usual_price_stands_in() -> None:
    model = RiskModel({}, {}, {})

    assert model.shipped_incident_usd == USUAL_INCIDENT_USD
