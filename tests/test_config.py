"""Settings: where they come from, and what is refused."""

import math
from dataclasses import fields
from datetime import timedelta
from pathlib import Path

import pytest

from compute_optimizer.api.sign_in.client.request import IN_PROGRESS
from compute_optimizer.config import (
    SETTINGS,
    VARIABLES_OF_OTHERS,
    Setting,
    Settings,
    load_settings,
    misspelt_variables,
)
from compute_optimizer.errors import InvalidInput
from tests.records import NOW


def test_every_setting_is_an_attribute_and_has_a_default() -> None:
    assert [field.name for field in fields(Settings)] == [setting.name for setting in SETTINGS]
    load_settings(environment={})


def test_an_option_comes_before_the_environment_and_that_before_the_default() -> None:
    environment = {"COMPUTE_OPTIMIZER_PORT": "9000"}

    assert load_settings({"port": 7000}, environment).port == 7000
    assert load_settings({"port": None}, environment).port == 9000
    assert load_settings({}, {}).port == 8080


def test_files_lie_in_the_data_folder_unless_named() -> None:
    settings = load_settings({"data_dir": "here", "audit_file": "/var/log/audit"}, {})

    assert settings.state_url == f"sqlite:///{Path('here') / 'state.db'}"
    assert settings.key_file == Path("here/secrets.key")
    assert settings.tiles_dir == Path("here/tiles")
    assert settings.audit_file == Path("/var/log/audit")


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("PORT", "99999", "port: 99999 is not between 0 and 65535"),
        ("PORT", "http", "port: 'http' is not a valid int"),
        ("WORKERS", "-1", "workers: -1 is not between 0 and 1000000000"),
        ("THROTTLE_BURST", "nan", "throttle_burst: nan is not between 1 and 1000000000"),
        ("OPT_OUT_GRACE_DAYS", "inf", "opt_out_grace_days: inf is not between 0 and 36525"),
        ("OIDC_SESSION_HOURS", "nan", "oidc_session_hours: nan is not between 0.25 and 24"),
        ("AUTH", "maybe", "auth: 'maybe' is not one of on, off"),
        ("TRACEBACK", "perhaps", "traceback: 'perhaps' is not a valid bool"),
    ],
)
def test_a_wrong_value_is_named_with_what_was_expected(
    name: str, value: str, expected: str
) -> None:
    with pytest.raises(InvalidInput, match=expected):
        load_settings({}, {f"COMPUTE_OPTIMIZER_{name}": value})


NUMBERS = [one for one in SETTINGS if type(one.default) in (int, float)]


@pytest.mark.parametrize("setting", NUMBERS, ids=[one.name for one in NUMBERS])
def test_every_number_has_bounds_and_a_span_of_time_stays_within_the_calendar(
    setting: Setting,
) -> None:
    assert math.isfinite(setting.minimum)
    unit = setting.name.rpartition("_")[2]
    if unit in ("seconds", "minutes", "hours", "days"):
        assert NOW - timedelta(**{unit: setting.maximum}) < NOW
    for beyond in ("inf", str(10**30)):
        with pytest.raises(InvalidInput, match=f"setting {setting.name}: "):
            load_settings({setting.name: beyond}, {})


@pytest.mark.parametrize(("word", "value"), [("yes", True), ("1", True), ("No", False)])
def test_true_and_false_have_the_usual_words(word: str, value: bool) -> None:
    assert load_settings({}, {"COMPUTE_OPTIMIZER_TRACEBACK": word}).traceback is value


def test_a_variable_of_no_setting_is_told_with_the_one_that_is_near() -> None:
    environment = {
        "COMPUTE_OPTIMIZER_DATADIR": "/srv",
        "COMPUTE_OPTIMIZER_LOG_LEVEL": "debug",
        "COMPUTE_OPTIMIZER_PORT": "9000",
        "COMPUTE_OPTIMIZER_PROT": "9000",
        "COMPUTE_OPTIMIZER_WHATEVER_ELSE": "1",
        "DATA_DIR": "/srv",
    }

    assert misspelt_variables(environment) == [
        "COMPUTE_OPTIMIZER_DATADIR is the variable of no setting and is ignored; "
        "is COMPUTE_OPTIMIZER_DATA_DIR meant?",
        # Of LOG_FORMAT: difflib's ratio is 2 * 4 / 19, less than half.
        "COMPUTE_OPTIMIZER_LOG_LEVEL is the variable of no setting and is ignored; "
        "docs/settings.md lists all",
        "COMPUTE_OPTIMIZER_PROT is the variable of no setting and is ignored; "
        "is COMPUTE_OPTIMIZER_PORT meant?",
        "COMPUTE_OPTIMIZER_WHATEVER_ELSE is the variable of no setting and is ignored; "
        "docs/settings.md lists all",
    ]


def test_variables_of_the_program_that_are_no_setting_are_known() -> None:
    assert IN_PROGRESS in VARIABLES_OF_OTHERS
    assert misspelt_variables(dict.fromkeys(VARIABLES_OF_OTHERS, "x")) == []
