"""The three questions, of a fleet that is longer than a page."""

from pathlib import Path

import pytest

FLEET = Path(__file__).with_name("fleet.yaml")

pytestmark = pytest.mark.compute_optimizer(state=FLEET, settings={"page_size": 2})


def test_every_instance_is_listed(tool, client):
    assert len(tool.all_instances(client)) == 5


def test_instances_that_are_too_large_are_told(tool, client):
    assert sorted(tool.over_provisioned(client)) == ["web-1", "web-2", "web-3"]


def test_the_savings_are_those_of_all_pages(tool, client):
    # Three of the five save, each of them the same, and a page has two.
    whole = client.get_ec2_instance_recommendations(maxResults=1000)["instanceRecommendations"]
    (one,) = {_first_savings(each) for each in whole if each["instanceName"].startswith("web")}

    assert one > 0
    assert tool.monthly_savings(client) == pytest.approx(3 * one)


def _first_savings(instance):
    (first,) = [one for one in instance["recommendationOptions"] if one["rank"] == 1]
    return first["savingsOpportunity"]["estimatedMonthlySavings"]["value"]
