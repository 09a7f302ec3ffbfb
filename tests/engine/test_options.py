import numpy as np
import pytest

from compute_optimizer.catalog import load_instance_types
from compute_optimizer.engine.demand import Demand
from compute_optimizer.engine.options import Current, Market, candidates_for, fits, limits_of
from compute_optimizer.model.preferences import ARCHITECTURES
from compute_optimizer.resources.ec2.analysis import market_of
from tests.fleets import REGION, instance

TYPES = load_instance_types()
NAN, NOTHING = float("nan"), -np.inf


@pytest.fixture(scope="module")
def market() -> Market:
    return market_of([instance(1, "m5.large"), instance(2, "m5.large", platform="windows")], TYPES)


def names(
    market: Market,
    instance_type: str,
    *,
    region: str = REGION,
    platform: str = "linux",
    store: bool = False,
    pool: str = "CURRENT",
) -> set[str]:
    now = Current(TYPES.index[instance_type], region, platform, store)
    found = candidates_for(market, now)
    members = found.types[found.pools[ARCHITECTURES.index(pool)]]
    return {TYPES.names[place] for place in members.tolist()}


def test_candidates_keep_architecture_and_vendor(market: Market) -> None:
    intel, amd = names(market, "m5.large"), names(market, "m6a.large")

    assert {"m7i.large", "t3.large", "c6i.large", "r7i.xlarge"} <= intel
    assert {"m7a.large", "t3a.large"} <= amd
    assert not intel & amd
    assert not any(name.partition(".")[0].endswith("g") for name in intel | amd)


def test_graviton_is_a_pool_of_its_own(market: Market) -> None:
    arm = names(market, "m5.large", pool="AWS_ARM64")

    assert {"m6g.large", "t4g.large"} <= arm
    assert arm == names(market, "m6a.large", pool="AWS_ARM64")


def test_an_instance_on_graviton_has_the_same_types_in_both_pools(market: Market) -> None:
    assert names(market, "m7g.large") == names(market, "m7g.large", pool="AWS_ARM64")


def test_only_the_own_family_may_be_of_a_previous_generation(market: Market) -> None:
    found = names(market, "m4.xlarge")

    assert "m4.large" in found
    assert not {name for name in found if name.startswith(("m3.", "c4."))}


def test_everything_on_nitro_is_present_hardware_whatever_the_source_calls_it(
    market: Market,
) -> None:
    # The source flags m5, m6i and r6i as previous generation.
    assert {"m5.large", "m6i.large", "r6i.large"} <= names(market, "m4.xlarge")


def test_the_current_type_is_no_candidate(market: Market) -> None:
    assert "m5.large" not in names(market, "m5.large")


def test_accelerators_are_kept_by_family_and_number(market: Market) -> None:
    assert names(market, "g4dn.xlarge") == {
        f"g4dn.{size}" for size in ("2xlarge", "4xlarge", "8xlarge", "16xlarge")
    }
    assert not {name for name in names(market, "m5.large") if name.startswith(("g", "p"))}


def test_bare_metal_is_kept(market: Market) -> None:
    assert all("metal" in name for name in names(market, "c6i.metal"))
    assert not any("metal" in name for name in names(market, "c6i.large"))


def test_hpc_types_are_for_hpc_types(market: Market) -> None:
    assert not any(name.startswith("hpc") for name in names(market, "c6a.48xlarge"))
    assert all(name.startswith("hpc") for name in names(market, "hpc7a.96xlarge"))


def test_a_family_of_unknown_speed_meets_only_itself(market: Market) -> None:
    (unmeasured, *_) = [
        name
        for place, name in enumerate(TYPES.names)
        if np.isnan(TYPES.relative_speed[place])
        and TYPES.rightsizing_supported[place]
        and not TYPES.accelerated[place]
    ]
    family = unmeasured.partition(".")[0]

    assert {name.partition(".")[0] for name in names(market, unmeasured)} == {family}


def test_a_used_instance_store_is_never_reduced(market: Market) -> None:
    idle_store, used_store = (names(market, "c5d.xlarge", store=used) for used in (False, True))

    assert "c6i.large" in idle_store
    sizes = [TYPES.instance_store_gib[TYPES.index[name]] for name in used_store]
    assert min(sizes) >= TYPES.instance_store_gib[TYPES.index["c5d.xlarge"]] > 0


def test_types_without_a_price_or_an_offer_are_no_candidates(market: Market) -> None:
    windows = names(market, "m5.large", platform="windows")

    assert windows < names(market, "m5.large")
    assert not names(market, "m5.large", platform="windows", pool="AWS_ARM64")


def test_candidates_are_cheapest_first(market: Market) -> None:
    found = candidates_for(market, Current(TYPES.index["m5.large"], REGION, "linux", False))

    assert (np.diff(found.prices) >= 0).all()
    assert found.current_price == 0.096
    assert (found.prices < 0.096).sum() == found.cheaper


def test_unknown_on_both_sides_is_not_judged_but_unknown_against_known_is_refused(
    market: Market,
) -> None:
    # EBS bandwidth of t2 is unknown, of m5 known; nobody knows packets.
    found = candidates_for(market, Current(TYPES.index["m5.large"], REGION, "linux", False))
    t2 = found.capacity[found.types.tolist().index(TYPES.index["t2.large"])]

    assert t2[2:4].tolist() == [0, 0]
    assert t2[5] == np.inf


def limits(required: float, capacity: float, *, keep: bool) -> float:
    needed, today = np.array([[required]]), np.array([[capacity]])
    found = limits_of(Demand(needed, needed, today, needed), np.array([keep]))
    return float(found[0, 0])


def test_unknown_memory_keeps_what_there_is() -> None:
    assert limits(NAN, 8192, keep=True) == 8192


def test_other_unknowns_and_no_demand_ask_for_nothing() -> None:
    assert [limits(NAN, 100, keep=False), limits(0, 100, keep=True)] == [NOTHING] * 2


def test_capacity_equal_to_the_requirement_fits() -> None:
    # 40 % of 8,192 with 20 % headroom is 4,096 and, in floating point, a little more.
    required = float(np.float32(40.000004)) / 100 * 8192 / 0.8
    needed = np.array([[limits(required, 8192, keep=True)]])

    assert fits(needed, np.array([[4096.0], [4095.0]])).tolist() == [[True, False]]
