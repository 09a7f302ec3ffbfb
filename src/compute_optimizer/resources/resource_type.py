"""The record of a resource type: its words, and the functions that differ from type to type."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from compute_optimizer.catalog import InstanceTypes
from compute_optimizer.catalog.described_types import OwnFigures, with_described
from compute_optimizer.catalog.effective_rates import AccountRates
from compute_optimizer.catalog.own_prices import (
    OwnPrices,
)
from compute_optimizer.engine.comparison import Comparison
from compute_optimizer.engine.digests import KeptSeries, Steps
from compute_optimizer.engine.explanation import Explanation
from compute_optimizer.engine.failures import FailureShare, counts_of
from compute_optimizer.engine.reached import Judge
from compute_optimizer.engine.replay import Replay
from compute_optimizer.model.facets import Facets
from compute_optimizer.model.metrics import MetricKey, ShardSamples
from compute_optimizer.model.recommendation import (
    Recommendation,
    Results,
)
from compute_optimizer.model.resource import (
    Resource,
)
from compute_optimizer.model.summary import Summary
from compute_optimizer.model.tally import ResourcePart
from compute_optimizer.resources.idleness import IdleRule


class Catalog(Protocol):
    """What is known of the types of which a resource is one, such as instance types."""

    @property
    def index(self) -> Mapping[str, int]:
        """Return the place of each type by its name."""


@dataclass(frozen=True, slots=True)
class KeptWith:
    """Of a type whose resources are a part of another's: where inventory and tiles keep them."""

    name: str
    """The other type: one row, one shard and one set of samples serve both."""
    mark: str
    """What the stored resources of the other type contain that are of this one, too."""


@dataclass(frozen=True, slots=True)
class FromDigests:
    """How resources are analyzed from days in short (engine/digests)."""

    parts: tuple[KeptSeries, ...]
    """What is kept of each day."""
    recommended: Callable[..., Steps[Results[Any]]]
    """As `recommend`, in steps that ask for the whole rows that they need."""


@dataclass(frozen=True, slots=True)
class ResourceType:
    """The facts and functions of one resource type.

    The functions take and return its own records, so they are typed loosely here; `recommend`,
    `explain` and `compare` take what `catalog` returns.
    """

    name: str
    """The service's own name (enum ResourceType)."""
    plural: str
    """What people call several of them, such as instances."""
    resource: type[Resource]
    """The class of its resources in the inventory."""
    metrics: tuple[MetricKey, ...]
    """The series that an analysis wants from the tiles."""
    catalog: Callable[[], Catalog]
    recommend: Callable[..., Results[Recommendation]]
    recommendation: type[Recommendation]
    """The class of its recommendations."""
    facets: Callable[[Any], Facets]
    """Return what filters look at in a recommendation."""
    counted_savings: Callable[[Any], float]
    """Return the monthly savings of a recommendation that totals count."""
    summary: Callable[[Any], Summary]
    """Return a recommendation in one line."""
    explain: Callable[..., Explanation] | None = None
    """None where its recommendations cannot be explained yet, and so for `compare`."""
    outline: Callable[..., Explanation] | None = None
    """The same without what would change the answer; None where nobody searches for that."""
    beside: Callable[..., Sequence[Resource]] | None = None
    """From a resource and all of its shard to the others that decide with it; `explain` and
    `recommend` take them after it. None where each is judged by itself."""
    compare: Callable[..., Comparison] | None = None
    predicts: bool = False
    """Whether its functions take a risk model and the preferences' profile means something."""
    replay: Replay | None = None
    """How its advice is held against what came after; None where nobody replays it so."""
    judge: Judge | None = None
    """Whether resources that were made smaller came up against their capacity; None where a change
    leaves every capacity as it was."""
    failures: tuple[FailureShare, ...] = ()
    """What of its calls may fail more often after a change: further dimensions of `judge`."""
    peak_models: Mapping[str, str] = field(default_factory=dict)
    """By dimension the model that tells its coming peak: those of which risk is predicted. Empty
    where none is."""
    idle: tuple[IdleRule, ...] = ()
    """When its resources are idle: each resource by at most one of the rules."""
    priced: Callable[[Any, OwnPrices], Catalog] | None = None
    """Return its catalog with own prices before the shipped ones; None where it takes none in."""
    discounted: Callable[[Any, Any, AccountRates], Results[Any]] | None = None
    """From results, resources and rates to the results with savings after discounts; None where
    both savings are those at list prices."""
    from_members: Callable[..., ShardSamples] | None = None
    """Return the samples to analyze from those of the resources and of the instances that belong to
    them; None where a resource has no instances."""
    parts: Callable[[Any], tuple[ResourcePart, ...]] | None = None
    """Return the parts of a recommendation that summaries count as types of their own; the one with
    the name of this type counts its idleness. None where there is one entry of all."""
    kept_with: KeptWith | None = None
    """None for a type that has rows of its own."""
    from_digests: FromDigests | None = None
    """None where an analysis reads all samples."""

    @property
    def series(self) -> tuple[MetricKey, ...]:
        """Return every series that is read of it: what is analyzed, then what tells of failures."""
        others = counts_of(self.failures) - set(self.metrics)
        return (*self.metrics, *sorted(others))

    def catalog_with(self, own: OwnFigures) -> Catalog:
        """Return the catalog with what counts before and beside what the package ships.

        Own prices, and described instance types, where there are any and the type takes them in.
        """
        catalog = self.catalog()
        if isinstance(catalog, InstanceTypes) and own.types:
            catalog = with_described(catalog, own.types, own.prices)
        if self.priced is None or not own.prices.markets:
            return catalog
        return self.priced(catalog, own.prices)
