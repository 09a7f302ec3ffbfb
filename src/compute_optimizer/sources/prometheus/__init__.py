"""Servers of the Prometheus API as a source: Prometheus, Thanos, Mimir, VictoriaMetrics.

declared       what is said about an exporter: records
exporters      the exporters that are known: which of their series tell which of ours
checks         what those must be, and addresses
configuration  the user's file, checked, on top of them
expressions    placeholders -> PromQL, so that a slot holds what belongs to it
connection     one server over HTTP: identification, time-outs, attempts, refusals
answers        JSON -> series
identity       labels -> what they tell of a machine
discovery      who there is, and what they are
queries        what is missing -> range queries within the limits, smaller ones where refused
source         all of it behind `interfaces.MetricSource`
"""

from compute_optimizer.sources.prometheus.configuration import (
    LABELS,
    STORED,
    Configuration,
    read_configuration,
)
from compute_optimizer.sources.prometheus.source import PrometheusSource

__all__ = ["LABELS", "STORED", "Configuration", "PrometheusSource", "read_configuration"]
