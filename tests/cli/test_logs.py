"""Log lines as JSON."""

import json
import logging
import sys

from compute_optimizer.cli.logs import JsonLines


def record(message: str, *values: object) -> logging.LogRecord:
    return logging.LogRecord("compute_optimizer.x", logging.ERROR, "x.py", 1, message, values, None)


def test_a_line_is_one_object_with_time_level_logger_and_message() -> None:
    one = record('job %s said "no"\nand more', "purge")
    one.created = 1_770_000_000.25

    line = JsonLines().format(one)

    assert "\n" not in line
    # 1,770,000,000 s after 1970 are 20,486 days, 02:40:00: 2 February 2026.
    assert json.loads(line) == {
        "time": "2026-02-02T02:40:00.250000+00:00",
        "level": "ERROR",
        "logger": "compute_optimizer.x",
        "message": 'job purge said "no"\nand more',
    }


def test_an_error_comes_with_its_traceback() -> None:
    one = record("failed")
    try:
        raise ZeroDivisionError("only once")
    except ZeroDivisionError:
        one.exc_info = sys.exc_info()

    line = JsonLines().format(one)

    assert "ZeroDivisionError: only once" in json.loads(line)["exception"]
