"""Tags in the spelling of the wire."""

from collections.abc import Mapping

from compute_optimizer.shapes import Tag


def tag_list(tags: Mapping[str, str]) -> list[Tag]:
    """Return tags as a member of an answer."""
    return [{"key": key, "value": value} for key, value in tags.items()]
