"""One account and Region: the answers to declared calls, each asked once."""

from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager, closing
from threading import RLock
from typing import Any

from botocore import xform_name
from botocore.exceptions import PaginationError

from compute_optimizer.sources.aws.calls import Call
from compute_optimizer.sources.aws.clients import make_client
from compute_optimizer.sources.aws.effort import SAMPLES_PER_SECOND
from compute_optimizer.sources.aws.failing import refusals
from compute_optimizer.sources.aws.pace import Pace


class AccountRegion:
    """What is asked in one account and Region, from any number of threads."""

    def __init__(
        self, account_id: str, region: str, session: Any, config: Any, rate: float
    ) -> None:
        self.account_id = account_id
        self.region = region
        self._pace = Pace(rate)
        self._samples = Pace(SAMPLES_PER_SECOND if rate else 0.0)
        self._session = session
        self._config = config
        self._clients: dict[str, Any] = {}
        self._answers: dict[Call, list[Any]] = {}
        self._lock = RLock()

    @property
    def partition(self) -> str:
        """Return the part of AWS that the Region belongs to, as ARNs begin."""
        return str(self._session.get_partition_for_region(self.region))

    def records(self, call: Call) -> list[Any]:
        """Return what a call answers, all pages and requests of it together.

        Raises SourceUnavailable.
        """
        with self._lock:
            if call not in self._answers:
                self._answers[call] = self._asked(call)
            return self._answers[call]

    def pages(self, call: Call, **parameters: Any) -> list[Mapping[str, Any]]:
        """Return the pages of one request of a service that is asked often.

        Raises SourceUnavailable.
        """
        with self._refusals(call):
            whole = {**call.parameters, **parameters}
            return _pages(self._kept_client(call.service), call, whole)

    def await_samples(self, count: int) -> None:
        """Return when so many samples may be asked for, by all threads together."""
        self._samples.wait(count)

    def close(self) -> None:
        """Close the connections."""
        for client in self._clients.values():
            client.close()

    def _asked(self, call: Call) -> list[Any]:
        wanted = [call.parameters]
        if call.over is not None and call.ask is not None:
            wanted = [{**call.parameters, **one} for one in call.ask(self.records(call.over))]
        found: list[Any] = []
        # The client is not kept: those of hundreds of accounts in all Regions take gigabytes.
        with self._refusals(call), closing(self._client(call.service)) as client:
            for request in wanted:
                some = _records(_pages(client, call, request), call)
                kept = request.get(call.kept_with)
                found += [(kept, one) for one in some] if call.kept_with else some
        return found

    def _refusals(self, call: Call) -> AbstractContextManager[None]:
        return refusals(f"account {self.account_id}, {self.region}", call.action)

    def _kept_client(self, service: str) -> Any:
        with self._lock:
            if service not in self._clients:
                self._clients[service] = self._client(service)
            return self._clients[service]

    def _client(self, service: str) -> Any:
        client = make_client(self._session, service, self.region, self._config)
        client.meta.events.register("before-send", self._wait)
        return client

    def _wait(self, **_: Any) -> None:
        """Keep the pace before each request, repeated ones and further pages included."""
        self._pace.wait()


def _records(pages: Iterable[Mapping[str, Any]], call: Call) -> list[Any]:
    found: list[Any] = []
    for page in pages:
        part = page.get(call.result, [])
        found += part if isinstance(part, list) else [part]
    return found


def _pages(client: Any, call: Call, parameters: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the pages of one request."""
    method = xform_name(call.operation)
    if client.can_paginate(method):
        return list(client.get_paginator(method).paginate(**parameters))
    # botocore knows no paginator of some operations that have pages.
    pages = [getattr(client, method)(**parameters)]
    followed = set[str]()
    while token := pages[-1].get("NextToken"):
        if token in followed:
            # As its paginators say it: what follows would be the same pages for ever.
            raise PaginationError(message=f"the same NextToken came twice: {token}")
        followed.add(token)
        pages.append(getattr(client, method)(**parameters, NextToken=token))
    return pages
