"""What processes that run for long say on standard error: lines for people, or JSON."""

import logging
from datetime import UTC, datetime

import msgspec

from compute_optimizer.config import Settings

LOG_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"

OWN = "compute_optimizer"
"""The name above all loggers of this program; libraries are heard from warnings on."""


class JsonLines(logging.Formatter):
    """One JSON object a line: time, level, logger, message and, of errors, the traceback."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of one record."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return msgspec.json.encode(line).decode()


def start_logging(settings: Settings, level: int = logging.WARNING) -> None:
    """Write what happens to standard error, as the setting says; own lines from `level`."""
    handler = logging.StreamHandler()
    json = settings.log_format == "json"
    handler.setFormatter(JsonLines() if json else logging.Formatter(LOG_FORMAT))
    logging.basicConfig(handlers=[handler], level=logging.WARNING)
    logging.getLogger(OWN).setLevel(level)
