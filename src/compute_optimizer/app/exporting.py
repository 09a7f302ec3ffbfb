"""The wiring of exports: where their files go, and what writes them."""

from compute_optimizer.app import Application
from compute_optimizer.config import Settings
from compute_optimizer.interfaces import Sink
from compute_optimizer.jobs.export import Exporter
from compute_optimizer.operations.exports import selection_of
from compute_optimizer.sinks import FolderSink, S3Sink


def exporter_of(application: Application) -> Exporter:
    """Return what writing exports needs, by the settings."""
    settings = application.settings
    return Exporter(
        application.state,
        application.clock,
        sink_of(settings),
        selection_of,
        settings.export_parquet,
    )


def sink_of(settings: Settings) -> Sink:
    """Return the place that exports are written to."""
    if settings.export_sink == "s3":
        return S3Sink(
            settings.export_s3_endpoint,
            any_region=settings.export_any_region,
            check_policy=settings.export_check_policy,
        )
    return FolderSink(settings.export_dir)
