"""Spans of time as people write them."""

from datetime import timedelta

import pytest

from compute_optimizer.errors import InvalidInput
from compute_optimizer.model.spans import span_of


@pytest.mark.parametrize(
    ("text", "seconds"), [("45s", 45), ("30m", 1800), ("12h", 43_200), ("90d", 7_776_000)]
)
def test_a_span_is_a_number_and_a_unit(text: str, seconds: int) -> None:
    assert span_of("--for", text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "12", "h", "-1h", "1.5h", "1w", "12 h", "9" * 20 + "d"])
def test_anything_else_is_refused_by_the_name_of_the_option(text: str) -> None:
    with pytest.raises(InvalidInput, match=f"^--for '{text}': expected a time such as 90d"):
        span_of("--for", text)
