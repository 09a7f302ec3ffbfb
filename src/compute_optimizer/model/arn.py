"""The parts of an ARN: arn:partition:service:Region:account:resource.

AWS General Reference, ARN formats. The resource is `kind/name`, `kind:name` or a name alone, and
may have more colons and slashes. Whether a text is an ARN at all is for whoever reads it to check;
one that is none has no parts here.
"""

REGION = 3
ACCOUNT = 4
RESOURCE = 5
"""Colons of an ARN before each part."""


def region_of(arn: str) -> str:
    """Return the Region that an ARN names; empty where it names none."""
    return _part(arn, REGION)


def account_of(arn: str) -> str:
    """Return the account that an ARN names; empty where it names none."""
    return _part(arn, ACCOUNT)


def account_and_region(arn: str) -> tuple[str, str]:
    """Return where the resource of an ARN is; each is empty where it names none."""
    return account_of(arn), region_of(arn)


def short_name(arn: str) -> str:
    """Return what an ARN calls its resource: i-0abc, the name of a group or a database.

    Of a function it has the version, but for $LATEST: worker, worker:3.
    """
    return arn.removesuffix(":$LATEST").split(":", RESOURCE + 1)[-1].rpartition("/")[2]


def _part(arn: str, colons: int) -> str:
    parts = arn.split(":", RESOURCE)
    return parts[colons] if len(parts) > RESOURCE else ""
