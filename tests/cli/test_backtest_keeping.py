"""`compute-optimizer backtest --fleet` and `--history`: what is kept of backtests, and whose."""

import json
from contextlib import closing
from pathlib import Path

import pytest

from compute_optimizer.config import load_settings
from compute_optimizer.store import State
from compute_optimizer.store.backtests import backtests_of
from compute_optimizer.store.tiles import TileStore
from tests.commands import Type
from tests.enrolling import ALPHA, BETA, Desk
from tests.stored_fleets import store_fleet


@pytest.fixture(autouse=True)
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tables have room for whole words."""
    monkeypatch.setenv("COLUMNS", "200")


def backtest(typed: Type, *words: str) -> tuple[int, str, str]:
    """Type the command; return exit code, output and complaint."""
    ended = typed("backtest", *words)
    return ended.code, ended.out, ended.err


def store(folder: Path, *accounts: str) -> None:
    """Store 28 days of two machines of each account, all opted in by themselves."""
    settings = load_settings({"data_dir": folder}, {})
    with closing(State(settings.state_url)) as state:
        state.migrate()
        desk = Desk(state)
        for account in accounts:
            desk.opt_in(account)
            store_fleet(state, TileStore(settings.tiles_dir), account, cpu=(10.0, 20.0), days=28)
        desk.settle()


def kept(folder: Path, account: str) -> dict[str, int]:
    """Return how many resources the last backtests of an account had, by type."""
    settings = load_settings({"data_dir": folder}, {})
    with closing(State(settings.state_url)) as state, state.reading() as connection:
        found = backtests_of(connection, account)
    return {name: one.resources for name, one in found.items()}


def test_the_usual_backtest_is_kept_and_shown_by_the_history(tmp_path: Path, typed: Type) -> None:
    store(tmp_path, ALPHA)
    assert "No backtest of this fleet is kept yet" in backtest(typed, "--history")[1]

    code, output, said = backtest(typed, "--fleet", "--output", "json")

    assert (code, kept(tmp_path, ALPHA)) == (0, {"Ec2Instance": 2})
    assert f"Kept as the newest backtest of what account {ALPHA} sees." in said
    (milestone,) = json.loads(backtest(typed, "--history", "--output", "json")[1])
    told = json.loads(output)["overall"]["policies"]["default"]["deployed"]["0.05"]
    assert milestone["madeBy"] == "command"
    assert (milestone["violations"], milestone["savings"]) == (told["violations"], told["savings"])
    table = backtest(typed, "--history", "--type", "Ec2Instance")[1]
    assert "2 of 2" in table
    assert "command" in table
    assert "No backtest of this fleet" in backtest(typed, "--history", "--type", "EbsVolume")[1]


def test_what_is_not_the_usual_backtest_is_not_kept_and_says_so(
    tmp_path: Path, typed: Type
) -> None:
    store(tmp_path, ALPHA)

    assert "Not kept: the history compares" in backtest(typed, "--fleet", "--dimensions", "cpu")[2]
    assert "ept" not in backtest(typed, "--fleet", "--no-store")[2]
    assert kept(tmp_path, ALPHA) == {}


def test_of_a_fleet_that_no_account_sees_one_account_is_asked_for(
    tmp_path: Path, typed: Type
) -> None:
    store(tmp_path, ALPHA, BETA)

    assert "Not kept: no account sees all of these" in backtest(typed, "--fleet")[2]
    assert backtest(typed, "--history")[0] == 2
    code, output, _ = backtest(typed, "--fleet", "--account", BETA, "--output", "json")

    assert (code, json.loads(output)["fleet"]["resources"]) == (0, 2)
    assert (kept(tmp_path, ALPHA), kept(tmp_path, BETA)) == ({}, {"Ec2Instance": 2})


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("--history", "--fleet"), "--history shows what is kept"),
        (("--demo", "--type", "EbsVolume", "--account", ALPHA), "give it with --fleet"),
        (("--fleet", "--account", "12"), "expected twelve digits"),
    ],
)
def test_what_does_not_go_together_is_explained(
    typed: Type, words: tuple[str, ...], complaint: str
) -> None:
    code, _, said = backtest(typed, *words)

    assert code != 0
    assert complaint in said
