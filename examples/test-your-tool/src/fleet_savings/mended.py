"""The same questions, asked as the service answers."""

from fleet_savings.as_found import _savings


def all_instances(client):
    """Return the ARN of every instance that has a recommendation."""
    return [instance["instanceArn"] for instance in _recommendations(client)]


def over_provisioned(client):
    """Return the names of instances that are larger than they need be."""
    return [
        instance["instanceName"]
        for instance in _recommendations(client)
        if _spelled(instance["finding"]) == "overprovisioned"
    ]


def monthly_savings(client):
    """Return the US dollars a month that the first option of every instance would save."""
    return sum(_savings(instance) for instance in _recommendations(client))


def _recommendations(client):
    """Yield the recommendations of all pages; boto3 has no paginator for this operation."""
    request = {}
    while True:
        answer = client.get_ec2_instance_recommendations(**request)
        yield from answer["instanceRecommendations"]
        if "nextToken" not in answer:
            return
        request = {"nextToken": answer["nextToken"]}


def _spelled(finding):
    """Return a finding in one spelling: OVER_PROVISIONED is sent, Overprovisioned documented."""
    return finding.replace("_", "").lower()
