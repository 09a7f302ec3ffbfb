"""Which language a server understands: PromQL, or MetricsQL, which means other samples by a range.

It is found out by what the server does, since not every release tells its name.
"""

from compute_optimizer.errors import InvalidInput, SourceUnavailable
from compute_optimizer.sources.prometheus.answers import series_of
from compute_optimizer.sources.prometheus.configuration import AUTO, METRICSQL
from compute_optimizer.sources.prometheus.connection import Server, TooMuch

ONLY_IN_METRICSQL = "now()"
"""A function that PromQL does not have (documentation of MetricsQL); it answers one number."""


def speaks_metricsql(server: Server) -> bool:
    """Return whether a server understands MetricsQL: as it is declared, or as it shows.

    Raises SourceUnavailable where it does not answer.
    """
    declared = server.entry.dialect
    if declared != AUTO:
        return declared == METRICSQL
    try:
        answer = server.ask("query", {"query": ONLY_IN_METRICSQL})
    except InvalidInput:
        return False
    except TooMuch as refused:
        raise SourceUnavailable(f"{server.entry.url}: {refused}") from refused
    return bool(series_of(answer, server.entry.url))
