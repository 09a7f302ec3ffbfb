"""A quick form holds what its dataclass holds."""

from typing import Any

import msgspec

from compute_optimizer.model.recommendation import Ec2InstanceRecommendation
from compute_optimizer.store.quick_form import quick_decoder
from tests.records import recommendation


def test_the_quick_form_of_a_record_has_its_fields_and_its_properties() -> None:
    one = recommendation(1)
    body = msgspec.json.encode(one)

    quick: Any = quick_decoder(Ec2InstanceRecommendation)(body)

    assert not isinstance(quick, Ec2InstanceRecommendation)
    assert quick.preferences != one.preferences
    assert quick.resource_arn == one.resource_arn
    assert (quick.monthly_usd, quick.price_date) == (one.monthly_usd, one.price_date)
    # All the rest, whatever lies in it: written, they are the same.
    assert msgspec.json.encode(quick) == body
