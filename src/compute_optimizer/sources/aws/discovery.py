"""Series that only some customers have, with whatever dimensions they gave them."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence, Set
from threading import Lock
from typing import Any

from compute_optimizer.model.resource import Resource
from compute_optimizer.sources.aws.calls import LIST_METRICS
from compute_optimizer.sources.aws.measures import Dimensions, Measure

Ask = Callable[..., Sequence[Mapping[str, Any]]]
"""(call, parameters by name) -> the pages of the answer."""

Index = Mapping[tuple[str, str], Set[Dimensions]]
"""Series of one metric by each of their dimensions; sets, for a list may tell one twice."""


class Discovery:
    """The series of one account and Region that had samples in the last two weeks."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._known: dict[tuple[str, str], Index] = {}
        self._lock = Lock()

    def series(self, measure: Measure, resource: Resource) -> tuple[Dimensions, ...]:
        """Return the dimensions of the series that tell a measure of a resource: one, or its parts.

        Of several it is those with the fewest: where an agent sends sums over other dimensions as
        well, the whole and not a part. Raises SourceUnavailable.
        """
        wanted = measure.dimensions(resource)
        if not wanted:
            return ()
        if not measure.discovered:
            return (wanted,)
        having = [one for one in self._index(measure)[wanted[-1]] if set(wanted) <= set(one)]
        if measure.exact:
            having = [one for one in having if len(one) == len(wanted)]
        if measure.part:
            having = [one for one in having if measure.part in dict(one)]
        having.sort(key=lambda one: (len(one), one))
        return tuple(
            one for one in having[: None if measure.part else 1] if len(one) == len(having[0])
        )

    def _index(self, measure: Measure) -> Index:
        name = measure.namespace, measure.name
        with self._lock:
            if name not in self._known:
                index: defaultdict[tuple[str, str], set[Dimensions]] = defaultdict(set)
                pages = self._ask(LIST_METRICS, Namespace=name[0], MetricName=name[1])
                for metric in (metric for page in pages for metric in page["Metrics"]):
                    pairs = tuple((one["Name"], one["Value"]) for one in metric["Dimensions"])
                    for pair in pairs:
                        index[pair].add(pairs)
                self._known[name] = index
            return self._known[name]
