"""What a state of an earlier revision becomes once bills may be taken in."""

from sqlalchemy import select

from compute_optimizer.store import State
from compute_optimizer.store.analysis_runs import Scope, begin_run, write_result
from compute_optimizer.store.billed_usage import billed_groups
from compute_optimizer.store.schema import idle_recommendations
from tests.idleness import BY_HAND
from tests.records import ACCOUNT, NOW, REGION
from tests.revisions import back_to


def test_what_idled_before_the_upgrade_saves_after_discounts_what_it_saves_at_list(
    state: State,
) -> None:
    after = idle_recommendations.c.monthly_savings_after_discounts_usd
    with state.writing() as connection:
        run_id = begin_run(connection, NOW, NOW)
        scope = Scope(ACCOUNT, REGION, "EbsVolume")
        write_result(connection, run_id, scope, [], [], idle=[BY_HAND], now=NOW)
        back_to(connection, "0006")

    state.migrate()

    with state.reading() as connection:
        assert connection.execute(select(after)).scalars().all() == [8.0]
        assert billed_groups(connection) == []
