"""Where exports are written to: one module per place, and the formats of the files."""

from compute_optimizer.sinks.folder import FolderSink
from compute_optimizer.sinks.s3 import S3Sink

__all__ = ["FolderSink", "S3Sink"]
