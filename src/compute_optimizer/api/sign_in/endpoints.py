"""Which endpoints of STS this server asks: a list, not a pattern.

A pattern such as sts.*.amazonaws.com would also fit hosts that AWS's customers name, as of buckets.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from botocore.loaders import create_loader

from compute_optimizer.errors import InvalidInput
from compute_optimizer.model.hosts import is_loopback

FIPS = "fips"

_ENDPOINT = re.compile(r"(https?)://([a-z0-9.-]+)(?::(\d{1,5}))?/?", re.ASCII)


@dataclass(frozen=True, slots=True)
class StsEndpoint:
    """An endpoint that may be asked."""

    url: str
    """Scheme, host and, where it is not the scheme's own, the port; no path."""
    partition: str | None
    """Partition whose identities it knows; None accepts any."""


def known_endpoints(more: str = "") -> dict[str, StsEndpoint]:
    """Return every endpoint that may be asked, by URL: AWS's, and more of the operator's.

    Raises InvalidInput for a URL that is none.
    """
    own = (_stated(text) for text in more.replace(",", " ").split())
    return {**aws_endpoints(), **{one.url: one for one in own}}


@cache
def aws_endpoints() -> Mapping[str, StsEndpoint]:
    """Return the endpoints of STS in all partitions: regional, global and FIPS.

    Source: the endpoints that botocore lists. Reading them takes some 0.2 s, so they are kept.
    """
    listed = create_loader().load_data("endpoints")["partitions"]
    found = (
        StsEndpoint(f"https://{host}", partition["partition"])
        for partition in listed
        for host in _hosts(partition)
    )
    return {one.url: one for one in found}


def _hosts(partition: dict[str, Any]) -> set[str]:
    suffix = partition["dnsSuffix"]
    listed = partition["services"].get("sts", {}).get("endpoints", {}).values()
    variants = [variant for one in listed for variant in one.get("variants", ())]
    special = {one["hostname"] for one in listed if "hostname" in one}
    fips = {one["hostname"] for one in variants if FIPS in one["tags"] and "hostname" in one}
    return {f"sts.{region}.{suffix}" for region in partition["regions"]} | special | fips


def _stated(text: str) -> StsEndpoint:
    found = _ENDPOINT.fullmatch(text)
    if found is None or (found[1] == "http" and not is_loopback(found[2])):
        raise InvalidInput(
            f"setting sign_in_sts_endpoints: {text!r} is no endpoint of STS; expected "
            "https://HOST or https://HOST:PORT, or http:// with a loopback address"
        )
    return StsEndpoint(text.removesuffix("/"), None)
