"""Answers of the Prometheus API, decoded, whatever comes."""

import pytest

from compute_optimizer.errors import SourceUnavailable
from compute_optimizer.sources.prometheus.answers import error_of, series_of

URL = "http://there:9090"


def answer(kind: str, result: str) -> bytes:
    return f'{{"status":"success","data":{{"resultType":"{kind}","result":{result}}}}}'.encode()


def test_a_matrix_has_many_samples_of_each_series() -> None:
    body = answer("matrix", '[{"metric":{"a":"x"},"values":[[300,"1.5"],[600.25,"2e+06"]]}]')

    (found,) = series_of(body, URL)

    assert found.labels == {"a": "x"}
    assert found.seconds.tolist() == [300, 600.25]
    assert found.values.tolist() == [1.5, 2_000_000]


def test_a_vector_has_one() -> None:
    (found,) = series_of(answer("vector", '[{"metric":{},"value":[300,"7"]}]'), URL)

    assert (found.seconds.tolist(), found.values.tolist()) == ([300], [7])


def test_samples_that_are_no_finite_numbers_are_kept_for_what_they_are() -> None:
    body = answer("matrix", '[{"metric":{},"values":[[1,"NaN"],[2,"+Inf"],[3,"-Inf"],[4,"5"]]}]')

    values = series_of(body, URL)[0].values

    assert str(values.tolist()) == "[nan, inf, -inf, 5.0]"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"<html>", "garbled.*is that the url of a Prometheus"),
        (b"", "garbled"),
        (b"[]", "garbled"),
        (b'{"status":"success","data":{"resultType":"vec', "garbled"),
        (answer("matrix", '[{"metric":{},"values":[[300,"many"]]}]'), "garbled"),
        (answer("matrix", '[{"metric":{},"values":[[300]]}]'), "garbled"),
        (answer("matrix", '[{"metric":{}}]'), "garbled"),
        (answer("matrix", '[{"metric":[],"values":[]}]'), "garbled"),
        (answer("scalar", "[]"), "is a scalar, and no series"),
        (b'{"status":"error","error":"no"}', "is no success: no"),
        (b'{"more":' + b"[" * 100_000, "garbled"),
    ],
)
def test_an_answer_that_is_none_is_told_with_its_server(body: bytes, said: str) -> None:
    with pytest.raises(SourceUnavailable, match=f"{URL}: .*{said}"):
        series_of(body, URL)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"error":"too\\n many"}', "too many"),
        (b"Bad \x1b[31mGateway", "Bad [31mGateway"),
        (b"\xff", "\ufffd"),
        (b"[1]", ""),
        (b"{}", ""),
        (b"[" * 100_000, "[" * 100_000),
    ],
)
def test_a_refusal_is_one_line_of_text(body: bytes, said: str) -> None:
    assert error_of(body) == said
