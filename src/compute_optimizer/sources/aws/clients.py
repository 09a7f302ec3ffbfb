"""Clients of AWS's services: made one at a time, and wary of answers that are not AWS's.

CloudWatch's read samples quickly: there are millions of them.
"""

from collections.abc import Callable
from functools import cache
from http import HTTPStatus
from threading import Lock
from typing import Any, Required, TypedDict

import botocore.session
import msgspec
from botocore.parsers import ResponseParserError, ResponseParserFactory
from botocore.utils import parse_timestamp

from compute_optimizer.errors import InvalidInput
from compute_optimizer.sources.aws.calls import METRIC_DATA

PARSERS = "response_parser_factory"
"""botocore's name of what makes the parsers of a client made later."""

METADATA = "ResponseMetadata"
"""Member that botocore adds to every answer; AWS's have the id of the request there."""

SAMPLES_SHAPE = f"{METRIC_DATA.operation}Output"
"""botocore's name of the answer that has samples."""

SHOWN_BYTES = 60
"""Of an answer that is not AWS's: enough to see whose it is."""

UNREADABLE = (AttributeError, IndexError, KeyError, TypeError, ValueError)
"""What botocore's parsers raise over text of another form, besides their own error."""

_making = Lock()
"""Sessions may not make clients in two threads at once; clients may be used in any."""


def make_session(profile: str | None) -> Any:
    """Return a session of botocore; raise BotoCoreError for a profile that is not there."""
    session = botocore.session.Session(profile=profile)
    session.register_component("data_loader", _models())
    return session


def make_client(
    session: Any, service: str, region: str, config: Any, url: str | None = None
) -> Any:
    """Return a client of a service in a Region, at AWS's own address unless another is given.

    Timestamps of CloudWatch are seconds since 1970, and its samples in JSON are not walked one by
    one. A call may bring 100,800 of them; with datetimes in local time they took 2.9 s of processor
    time, as numbers that are walked 0.15 s, and so 0.01 s (seen 2026-11-26). Raises InvalidInput
    for an address that is no URL.
    """
    with _making:
        usual = session.get_component(PARSERS)
        session.register_component(PARSERS, _parsers(service))
        try:
            return session.create_client(
                service, region_name=region, endpoint_url=url, config=config
            )
        except ValueError as error:  # Of what AWS_ENDPOINT_URL or a profile says.
            raise InvalidInput(
                f"the address of {service} cannot be used: {error}; expected a URL such as "
                "http://127.0.0.1:4566"
            ) from error
        finally:
            session.register_component(PARSERS, usual)


@cache
def _models() -> Any:
    """Return what reads the services' models, which are large: once, and not for each account."""
    return botocore.session.Session().get_component("data_loader")


class _WaryParsers(ResponseParserFactory):  # type: ignore[misc]  # botocore has no types
    """Makes parsers that refuse what something between here and AWS answers, such as a proxy.

    botocore takes a page of HTML with status 200 for an answer without members: for nobody having
    any functions, so that the inventory would lose them.
    """

    def create_parser(self, protocol_name: str) -> Any:
        """Return the parser of a protocol, which raises ResponseParserError and nothing else."""
        parser = super().create_parser(protocol_name)
        usual = parser.parse

        def parse(response: Any, shape: Any) -> Any:
            try:
                parsed = _samples(usual, response, shape) or usual(response, shape)
            except UNREADABLE as error:
                raise _not_of_aws(response) from error
            # What an error tells besides its code is parsed by itself, and may be nothing.
            told = response["status_code"] != HTTPStatus.OK or set(parsed) - {METADATA}
            if not told and "RequestId" not in parsed.get(METADATA, {}):
                raise _not_of_aws(response)
            return parsed

        parser.parse = parse
        return parser


class _Series(TypedDict, total=False):
    """What is read of one series in an answer of GetMetricData."""

    Id: str
    StatusCode: str
    Timestamps: list[float]
    Values: list[float]


class _Samples(TypedDict, total=False):
    """What is read of an answer of GetMetricData."""

    MetricDataResults: Required[list[_Series]]
    NextToken: str


_decode = msgspec.json.Decoder(_Samples).decode


def _samples(usual: Callable[[Any, Any], Any], response: Any, shape: Any) -> Any:
    """Return a successful answer of GetMetricData as the usual parser would; None for others."""
    if getattr(shape, "name", "") != SAMPLES_SHAPE or response["status_code"] != HTTPStatus.OK:
        return None
    try:
        found = _decode(response["body"])
    except (msgspec.DecodeError, UnicodeDecodeError):
        # Another protocol, another spelling of moments, or no answer of AWS's.
        return None
    return usual({**response, "body": b"{}"}, shape) | found


def _not_of_aws(response: Any) -> ResponseParserError:
    body = bytes(response["body"][:SHOWN_BYTES])
    return ResponseParserError(
        f"the answer, with status {response['status_code']}, is not one of AWS's; see what stands "
        f"between, such as a proxy; it begins {body!r}"
    )


def _parsers(service: str) -> ResponseParserFactory:
    factory = _WaryParsers()
    if service == METRIC_DATA.service:
        factory.set_parser_defaults(timestamp_parser=_seconds)
    return factory


def _seconds(value: Any) -> float:
    """Return the moment of a timestamp as the wire has it: a number, or text in older protocols."""
    if isinstance(value, int | float):
        return value
    moment: float = parse_timestamp(value).timestamp()
    return moment
