"""A fleet from files in the stores of a running server, as `import` and `analyze` put it there."""

from collections.abc import Iterable
from datetime import UTC, datetime

from compute_optimizer.jobs.analyze import analyze
from compute_optimizer.jobs.ingest import ImportRequest, ingest
from compute_optimizer.operations.enrollment import change_enrollment
from compute_optimizer.store.tiles import TileStore
from tests.end_to_end.conftest import ACCOUNT, Served

HEADER = "resource,timestamp,metric,statistic,value"


def midnight_of(served: Served) -> datetime:
    """Return the beginning of the server's day, where the samples of a fleet end."""
    return datetime.combine(served.clock.now().date(), datetime.min.time(), UTC)


def import_and_analyze(
    served: Served, inventory: str, samples: Iterable[str], *, added: int, kind: str = "csv"
) -> Served:
    """Import an inventory, of which so many are added, and lines below HEADER; analyze them."""
    folder = served.settings.data_dir
    metrics, fleet = folder / "metrics.csv", folder / f"fleet.{kind}"
    metrics.write_text("\n".join((HEADER, *samples)))
    fleet.write_text(inventory)
    change_enrollment(served.state, served.clock, ACCOUNT, "Active")
    tiles = TileStore(served.settings.tiles_dir)
    report = ingest(served.state, tiles, served.clock, ImportRequest(fleet, (metrics,)))
    assert (report.refusals.total, report.resources.added) == (0, added)
    analyze(served.state, tiles, served.clock, as_of=midnight_of(served))
    return served
