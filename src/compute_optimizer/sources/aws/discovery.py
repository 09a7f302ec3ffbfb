"""Series that only some customers have, with whatever dimensions they gave them."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from threading import Lock
from typing import Any

from compute_optimizer.model.resource import Resource
from compute_optimizer.sources.aws.calls import LIST_METRICS
from compute_optimizer.sources.aws.measures import Dimensions, Measure

Ask = Callable[..., Sequence[Mapping[str, Any]]]
"""(call, parameters by name) -> the pages of the answer."""

Index = Mapping[tuple[str, str], Sequence[Dimensions]]
"""Series of one metric by each of their dimensions."""


class Discovery:
    """The series of one account and Region that had samples in the last two weeks."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._known: dict[tuple[str, str], Index] = {}
        self._lock = Lock()

    def dimensions(self, measure: Measure, resource: Resource) -> Dimensions:
        """Return the dimensions of the series that tells a measure of a resource, or none.

        Of several it is that with the fewest: where an agent sends sums over other dimensions as
        well, the whole and not a part. Raises SourceUnavailable.
        """
        wanted = measure.dimensions(resource)
        if not wanted or not measure.discovered:
            return wanted
        having = [one for one in self._index(measure)[wanted[-1]] if set(wanted) <= set(one)]
        if measure.exact:
            having = [one for one in having if len(one) == len(wanted)]
        return min(having, key=lambda one: (len(one), one), default=())

    def _index(self, measure: Measure) -> Index:
        name = measure.namespace, measure.name
        with self._lock:
            if name not in self._known:
                index: defaultdict[tuple[str, str], list[Dimensions]] = defaultdict(list)
                pages = self._ask(LIST_METRICS, Namespace=name[0], MetricName=name[1])
                for metric in (metric for page in pages for metric in page["Metrics"]):
                    pairs = tuple((one["Name"], one["Value"]) for one in metric["Dimensions"])
                    for pair in pairs:
                        index[pair].append(pairs)
                self._known[name] = index
            return self._known[name]
