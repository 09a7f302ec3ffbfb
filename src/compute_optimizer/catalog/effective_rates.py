"""What accounts were billed, as rates: what a type costs once commitments and contracts count."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from datetime import date
from math import nan
from types import MappingProxyType
from typing import NamedTuple, TypeVar

from compute_optimizer.catalog.own_prices import RDS, PriceMarket

K = TypeVar("K")

LINUX = "linux"
"""The platform on which reservations of instances follow every size of their family (Amazon EC2
User Guide, size flexibility; those of other platforms are for one size)."""

MOSTLY = 0.5
"""Share of a type's hours that reservations cover from which a change is held to strand them."""


@dataclass(frozen=True, slots=True)
class Billed:
    """Sums of what was billed; costs are USD, or CNY in China.

    Hours are those of instances, and of a product without types whatever its lines count.
    """

    hours: float = 0.0
    list_usd: float = 0.0
    effective_usd: float = 0.0
    """With the share of commitments that covers the usage, and with contracts."""
    reserved_hours: float = 0.0
    reserved_list_usd: float = 0.0
    reserved_effective_usd: float = 0.0
    """These three are the part that reservations cover."""
    planned_hours: float = 0.0
    """Covered by Savings Plans."""

    def plus(self, other: "Billed") -> "Billed":
        """Return both together."""
        return Billed(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(Billed)))

    @property
    def hourly_usd(self) -> float:
        """What an hour cost; NaN without hours."""
        return self.effective_usd / self.hours if self.hours > 0 else nan

    @property
    def factor(self) -> float:
        """What was paid of each USD at list; 1 where nothing has a list price."""
        return _share(self.effective_usd, self.list_usd)

    @property
    def movable_factor(self) -> float:
        """The same of the usage that no reservation covers: what another type would be paid at."""
        return _share(
            self.effective_usd - self.reserved_effective_usd,
            self.list_usd - self.reserved_list_usd,
        )

    @property
    def reserved_share(self) -> float:
        """Share of the hours that reservations cover, 0 to 1."""
        return self.reserved_hours / self.hours if self.hours > 0 else 0.0

    @property
    def reserved_hourly_usd(self) -> float:
        """What an hour costs in reservations on average, whether they are used or not."""
        return self.reserved_effective_usd / self.hours if self.hours > 0 else 0.0


NOTHING = Billed()

LEAST_USD = 0.01
"""Below it, a sum at list is rounding, and no rate can be told from it."""


class BilledUsage(NamedTuple):
    """What one account was billed for one type, or for a product that has none."""

    account_id: str
    market: PriceMarket
    name: str
    """Of an instance type or of a class such as db.m5.large; empty where the product has none."""
    billed: Billed
    first_day: date
    last_day: date
    """Of the usage."""


@dataclass(frozen=True, slots=True)
class TypeRates:
    """What decides the effective rates of one current type and of whatever replaces it."""

    hourly_usd: float
    """NaN where the account was billed for none."""
    factor: float
    """Of the product, for a type without usage."""
    family: str
    family_factor: float | None
    """Of the whole family where a reservation follows its sizes; None where it does not."""
    movable_factor: float
    """Of usage that no reservation covers."""
    reserved_share: float
    reserved_hourly_usd: float

    @property
    def strands(self) -> bool:
        """Whether leaving what reservations follow leaves them behind unused."""
        return self.reserved_share > MOSTLY


@dataclass(frozen=True, slots=True, eq=False)
class AccountRates:
    """The effective rates of one account."""

    types: Mapping[tuple[PriceMarket, str], Billed] = field(default_factory=dict)
    families: Mapping[tuple[PriceMarket, str], Billed] = field(default_factory=dict)
    products: Mapping[str, Billed] = field(default_factory=dict)

    def factor(self, product: str) -> float | None:
        """Return what was paid of each USD at list; None where the product was not billed."""
        billed = self.products.get(product)
        return None if billed is None else billed.factor

    def of(self, market: PriceMarket, name: str) -> TypeRates | None:
        """Return the rates of a type; None where nothing of its product was billed."""
        whole = self.products.get(market.product)
        if whole is None:
            return None
        family = rate_family(name)
        billed = self.types.get((market, name), NOTHING)
        kin = self.families.get((market, family)) if _follows_sizes(market) else None
        return TypeRates(
            hourly_usd=billed.hourly_usd,
            factor=whole.factor,
            family=family,
            family_factor=None if kin is None else kin.factor,
            movable_factor=whole.movable_factor,
            reserved_share=billed.reserved_share,
            reserved_hourly_usd=billed.reserved_hourly_usd,
        )


NO_RATES = AccountRates()


def rates_by_account(usage: Iterable[BilledUsage]) -> Mapping[str, AccountRates]:
    """Return the rates of every account that was billed for something."""
    by_account: dict[str, list[BilledUsage]] = {}
    for one in usage:
        by_account.setdefault(one.account_id, []).append(one)
    return MappingProxyType({account: _rates(found) for account, found in by_account.items()})


def _rates(usage: Iterable[BilledUsage]) -> AccountRates:
    types: dict[tuple[PriceMarket, str], Billed] = {}
    families: dict[tuple[PriceMarket, str], Billed] = {}
    products: dict[str, Billed] = {}
    for one in usage:
        _add(products, one.market.product, one.billed)
        if one.name:
            _add(types, (one.market, one.name), one.billed)
            _add(families, (one.market, rate_family(one.name)), one.billed)
    return AccountRates(types, families, products)


def rate_family(name: str) -> str:
    """Return what of a name reservations follow: m5 of m5.large, db.m5 of db.m5.large."""
    return name.rpartition(".")[0]


def _follows_sizes(market: PriceMarket) -> bool:
    # The engines of PriceMarket are all of those whose reservations follow sizes (Amazon RDS User
    # Guide, size-flexible reserved DB instances).
    return market.product == RDS or market.platform == LINUX


def _add(sums: dict[K, Billed], key: K, billed: Billed) -> None:
    sums[key] = sums.get(key, NOTHING).plus(billed)


def _share(paid: float, listed: float) -> float:
    # A difference of sums may lie a rounding below zero.
    return max(paid, 0.0) / listed if listed >= LEAST_USD else 1.0
