"""The questions as they are asked in many scripts: each has a bug that no stub would show."""


def all_instances(client):
    """Return the ARN of every instance that has a recommendation."""
    paginator = client.get_paginator("get_ec2_instance_recommendations")
    return [
        instance["instanceArn"]
        for page in paginator.paginate()
        for instance in page["instanceRecommendations"]
    ]


def over_provisioned(client):
    """Return the names of instances that are larger than they need be."""
    answer = client.get_ec2_instance_recommendations(maxResults=1000)
    return [
        instance["instanceName"]
        for instance in answer["instanceRecommendations"]
        if instance["finding"] == "Overprovisioned"
    ]


def monthly_savings(client):
    """Return the US dollars a month that the first option of every instance would save."""
    answer = client.get_ec2_instance_recommendations()
    return sum(_savings(instance) for instance in answer["instanceRecommendations"])


def _savings(instance):
    options = instance.get("recommendationOptions", [])
    first = [option for option in options if option["rank"] == 1]
    return sum(
        option["savingsOpportunity"]["estimatedMonthlySavings"]["value"]
        for option in first
        if "savingsOpportunity" in option
    )
