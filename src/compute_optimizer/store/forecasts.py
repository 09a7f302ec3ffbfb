"""Forecasts that wait to be held against what comes, and the scores of those that were."""

import zlib
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

import msgspec
from sqlalchemy import Connection, delete, insert, select

from compute_optimizer.model.forecast import ForecastPart, Score
from compute_optimizer.store.analysis_runs import Scope
from compute_optimizer.store.schema import forecasts, run_scopes, runs, scores

_encode = msgspec.json.Encoder().encode
_decode_part = msgspec.json.Decoder(ForecastPart).decode
_decode_score = msgspec.json.Decoder(Score).decode


class MadeForecast(NamedTuple):
    """A run of which forecasts are or can be kept."""

    run_id: str
    as_of: datetime


def pack(part: ForecastPart) -> bytes:
    """Return a part as it is stored: a tenth of its size as JSON."""
    return zlib.compress(_encode(part))


def runs_to_keep(connection: Connection, resource_type: str, since: datetime) -> list[MadeForecast]:
    """Return the current runs of a type, looking back from `since` or later, not kept yet."""
    current = (
        run_scopes.c.resource_type == resource_type,
        run_scopes.c.superseded_at.is_(None),
        runs.c.as_of >= since,
        runs.c.run_id.not_in(select(forecasts.c.run_id)),
        runs.c.run_id.not_in(select(scores.c.run_id)),
    )
    query = select(runs.c.run_id, runs.c.as_of).join(run_scopes).where(*current).distinct()
    rows = connection.execute(query.order_by(runs.c.as_of, runs.c.run_id))
    return [MadeForecast(*row) for row in rows]


def scopes_of_run(connection: Connection, run_id: str, resource_type: str) -> list[Scope]:
    """Return the scopes of a type that a run answers for."""
    wanted = run_scopes.c.run_id == run_id, run_scopes.c.resource_type == resource_type
    columns = [run_scopes.c[name] for name in Scope._fields]
    return sorted(Scope(*row) for row in connection.execute(select(*columns).where(*wanted)))


def keep(connection: Connection, made: MadeForecast, scope: Scope, packed: Sequence[bytes]) -> None:
    """Store the packed parts of one scope, at least one: it says that the run was kept."""
    named = {**made._asdict(), **scope._asdict()}
    rows = [{**named, "part": number, "body": body} for number, body in enumerate(packed)]
    connection.execute(insert(forecasts), rows)


def due_runs(connection: Connection, latest: datetime) -> list[MadeForecast]:
    """Return the kept runs that looked back from `latest` or earlier, the oldest first."""
    query = select(forecasts.c.run_id, forecasts.c.as_of).where(forecasts.c.as_of <= latest)
    rows = connection.execute(query.distinct().order_by(forecasts.c.as_of, forecasts.c.run_id))
    return [MadeForecast(*row) for row in rows]


def parts_of(connection: Connection, run_id: str) -> Iterator[tuple[Scope, ForecastPart]]:
    """Yield the parts that were kept of a run."""
    order = (*(forecasts.c[name] for name in Scope._fields), forecasts.c.part)
    query = select(forecasts).where(forecasts.c.run_id == run_id).order_by(*order)
    for row in connection.execute(query).mappings():
        scope = Scope(*(row[name] for name in Scope._fields))
        yield scope, _decode_part(zlib.decompress(row["body"]))


def save_score(connection: Connection, score: Score) -> None:
    """Store a score in the place of the forecasts that it is about."""
    connection.execute(delete(forecasts).where(forecasts.c.run_id == score.run_id))
    named = {"run_id": score.run_id, "as_of": score.as_of, "scored_at": score.scored_at}
    connection.execute(insert(scores).values(**named, body=_encode(score)))


def all_scores(connection: Connection, limit: int | None = None) -> list[Score]:
    """Return the scores, the newest run first."""
    query = select(scores.c.body).order_by(scores.c.as_of.desc(), scores.c.run_id).limit(limit)
    return [_decode_score(body) for body in connection.execute(query).scalars()]


def remove_scores_before(connection: Connection, moment: datetime) -> int:
    """Forget the scores of runs that looked back from before a moment; return how many."""
    return connection.execute(delete(scores).where(scores.c.as_of < moment)).rowcount


def remove_forecasts_of(connection: Connection, account_id: str) -> None:
    """Forget what was predicted for an account."""
    connection.execute(delete(forecasts).where(forecasts.c.account_id == account_id))
