"""Instance types that the catalog lacks, as EC2 describes them."""

from collections.abc import Iterator, Sequence
from datetime import date

from compute_optimizer.catalog.described_types import described
from compute_optimizer.errors import InvalidInput, SourceUnavailable
from compute_optimizer.model.described_type import DescribedType
from compute_optimizer.sources.aws.account_region import AccountRegion
from compute_optimizer.sources.aws.calls import INSTANCE_TYPES

VALUES_AT_ONCE = 100
"""Of one filter; EC2 takes 200 (API reference of DescribeInstanceTypes)."""


def describe_types(
    place: AccountRegion, names: Sequence[str], day: date
) -> Iterator[DescribedType]:
    """Yield what EC2 says of types; those that the Region does not know are left out.

    Raises SourceUnavailable, also for a description that lacks what the catalog needs.
    """
    for start in range(0, len(names), VALUES_AT_ONCE):
        some = list(names[start : start + VALUES_AT_ONCE])
        asked = [{"Name": "instance-type", "Values": some}]
        for page in place.pages(INSTANCE_TYPES, Filters=asked):
            for item in page.get(INSTANCE_TYPES.result, ()):
                try:
                    yield described(item, place.region, day)
                except InvalidInput as error:
                    raise SourceUnavailable(f"{INSTANCE_TYPES.action}: {error}") from error
