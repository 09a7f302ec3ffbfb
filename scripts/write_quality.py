"""Write docs/quality.md: the figures of the backtest on the public traces.

write_quality.py [FOLDER]      FOLDER holds the traces; ../shared/traces by default
"""

import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from quality_texts import (
    ABLATION,
    AGREEMENT,
    BEYOND,
    CALIBRATION,
    CAPS,
    HINDSIGHT,
    INTRODUCTION,
    LOOKBACK,
    LOSS,
    READING_ABLATION,
    READING_ALL,
    READING_BEYOND,
    READING_CALIBRATION,
    READING_CPU,
    READING_TRANSFER,
    SCORES,
    TRANSFER,
)

from compute_optimizer.backtest.fleet import CPU
from compute_optimizer.backtest.studies import LOOKBACKS
from compute_optimizer.jobs.backtest import BacktestRequest, backtest, trace_fleet
from compute_optimizer.model.metrics import Statistic

ROOT = Path(__file__).resolve().parents[1]
TARGET = ROOT / "docs" / "quality.md"
TRACES = ROOT.parent / "shared" / "traces"

Report = Mapping[str, Any]

BUDGET = "0.05"

PUBLISHED_ON_447 = {
    "published-p90-headroom-0": ("P90", "30.0 / 82.3"),
    "vpa": ("VPA", "29.1 / 79.3"),
    "published-p95-headroom-30": ("P95 x 1.43", "23.9 / 75.9"),
    "published-ec2-rule": ("P99.5 x 1.25", "13.2 / 68.6"),
    "maximum-x-1.15": ("maximum x 1.15", "6.0 / 54.4"),
}
"""Violations and savings in percent that others measured on 447 machines of the same trace, of
which this one is a half."""

HINDSIGHT_ON_500 = {
    "2013-08-01": ("23 / 54 / 66 / 71", "77"),
    "2013-08-16": ("29 / 36 / 60 / 72", "76"),
    "2013-08-30": ("32 / 51 / 64 / 70", "76"),
    "2013-09-14": ("10 / 11 / 17 / 26", "64"),
}
"""Savings in percent of the best capped sweep in hindsight, and of the oracle at 5 %, likewise."""


def measured(traces: Path) -> dict[str, Report]:
    """Return every report of the page."""
    bitbrains = trace_fleet(traces / "bitbrains_rnd_5min_92d.parquet")
    august = trace_fleet(traces / "bitbrains_rnd_5min_aug2013.parquet")
    azure = trace_fleet(traces / "azure2017_cpu_5min.parquet")
    averages = trace_fleet(traces / "azure2017_cpu_5min.parquet", Statistic.AVERAGE)
    cpu = BacktestRequest(dimensions=(CPU,))
    studied = BacktestRequest(
        dimensions=(CPU,), robustness=True, lookbacks=LOOKBACKS, ablation=True
    )
    return {
        "cpu": backtest(bitbrains, studied),
        "all": backtest(bitbrains, BacktestRequest()),
        "speed": backtest(bitbrains, BacktestRequest(processor_speed=True)),
        "august": backtest(august, cpu),
        "azure": backtest(azure, cpu),
        "azure averages": backtest(averages, cpu),
        "to azure": backtest(averages, cpu, fit_on=august),
        "to bitbrains": backtest(bitbrains, cpu, fit_on=averages),
    }


def page(reports: Mapping[str, Report]) -> str:
    """Return the whole page."""
    parts = [
        INTRODUCTION,
        "## Bitbrains, CPU alone\n",
        "250 of the 500 machines that were published; 92 days of five-minute averages.\n",
        origins(reports["cpu"]),
        "Asked for 5 %, all four origins together:\n",
        deployed(reports["cpu"]),
        "By origin, asked for 1 / 2 / 5 / 10 %:\n",
        by_origin(reports["cpu"]),
        READING_CPU,
        "## Bitbrains, all dimensions\n",
        "CPU, memory, disk and network against EC2 types; memory may not be exceeded once.\n",
        deployed(reports["all"]),
        READING_ALL,
        "With credit for faster processors (a vCPU counts as fast as it was measured, m5 = 1):\n",
        by_origin(reports["speed"]),
        "## Calibration\n",
        CALIBRATION,
        calibration({"CPU alone": reports["cpu"], "all": reports["all"]}),
        READING_CALIBRATION,
        "## A cap on every machine\n",
        CAPS,
        caps({"CPU alone": reports["cpu"], "all": reports["all"]}),
        "## The scores of the API\n",
        SCORES,
        scores_of(reports["all"]),
        "## What each group of features buys\n",
        ABLATION,
        ablation(reports["cpu"]["ablation"]),
        READING_ABLATION,
        "## Azure, and from one fleet to the other\n",
        TRANSFER,
        transfer(reports),
        READING_TRANSFER,
        "## In hindsight\n",
        HINDSIGHT,
        hindsight(reports["cpu"]),
        "## Cost and harm together\n",
        LOSS,
        losses(reports["cpu"]),
        "## Beyond the count of violations",
        BEYOND,
        beyond(reports["cpu"]),
        READING_BEYOND,
        "## Worse data, the next day, a longer past\n",
        robustness(reports["cpu"]["robustness"]),
        LOOKBACK,
        lookbacks(reports["cpu"]["lookbacks"]),
        "## Beside what others measured\n",
        peers(reports["august"]),
        AGREEMENT,
    ]
    return "\n\n".join(part.strip() for part in parts) + "\n"


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [headings, ["---"] * len(headings), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def percent(share: float | None) -> str:
    """Return a share as a percentage without its sign."""
    return "" if share is None else f"{100 * share:.1f}"


def span(interval: Sequence[float] | None) -> str:
    """Return an interval of shares as percentages."""
    return "" if interval is None else f"{100 * interval[0]:.1f} to {100 * interval[1]:.1f}"


def origins(report: Report) -> str:
    """Return who was tested at each origin."""
    return table(
        ["origin", "judged", "clipped before", "scored", "clipped later only", "no test samples"],
        (
            [
                origin["origin"],
                *(
                    str(origin[key])
                    for key in (
                        "resources",
                        "clipped",
                        "scored",
                        "clipped_in_test_only",
                        "without_test_samples",
                    )
                ),
            ]
            for origin in report["origins"]
        ),
    )


def deployed(report: Report) -> str:
    """Return the deployed scores of every policy with intervals, and the paired difference."""
    paired = report["overall"]["paired"][BUDGET]["default"]
    rows = []
    for name, found in report["overall"]["policies"].items():
        score = found["deployed"][BUDGET]
        other = paired.get(name)
        rows.append(
            [
                name,
                percent(score["violations"]),
                span(score["violations_interval"]),
                percent(score["savings"]),
                span(score["savings_interval"]),
                percent(score["regret"]),
                percent(score["regret_at_realized"]),
                f"{percent(other['savings'])} ({span(other['savings_interval'])})" if other else "",
            ]
        )
    headings = ["policy", "violations %", "95 %", "savings %", "95 %", "regret", "at what it spent"]
    return table([*headings, "default saves more by (95 %)"], rows)


SHOWN = (
    "oracle",
    "default",
    "published-p99.5-headroom-20",
    "capped-sweep",
    "capped-p99.9",
    "kubecost",
)
"""Policies of the table by origin."""


def by_origin(report: Report) -> str:
    """Return violations and savings at each origin and budget."""
    days = [origin["origin"] for origin in report["origins"]]
    rows = []
    for name in SHOWN:
        scores = [o["policies"][name]["deployed"].values() for o in report["origins"]]
        for what in ("violations", "savings"):
            figures = [
                " / ".join(f"{100 * one[what]:.0f}" for one in budgets) for budgets in scores
            ]
            rows.append([f"{name}: {what}", *figures])
    return table(["policy", *days], rows)


def calibration(reports: Mapping[str, Report]) -> str:
    """Return observed and expected violations of the default and of the sweep."""
    rows = []
    for catalog, report in reports.items():
        for origin in report["origins"]:
            sweep = origin["policies"]["capped-sweep"]["calibration"]
            for name, found in origin["calibration"].items():
                rows.append(
                    [
                        f"{catalog}, {origin['origin']}",
                        name,
                        *_observed_and_expected(found),
                        *_observed_and_expected(sweep[name]),
                        percent(found["brier_skill"]),
                        percent(found["log_skill"]),
                    ]
                )
    headings = ["origin", "dimension", "default: O / E", "next cheaper: O / E"]
    headings += ["sweep at 5 %: O / E", "next cheaper: O / E"]
    return table([*headings, "Brier skill %", "log skill %"], rows)


def _observed_and_expected(found: Report) -> list[str]:
    return [
        f"{found['observed']} / {found['expected']:.1f}",
        f"{found['next_observed']} / {found['next_expected']:.1f}",
    ]


def caps(reports: Mapping[str, Report]) -> str:
    """Return what the cheapest options within a cap would have done."""
    rows = [
        [
            f"{catalog}, {origin['origin']}",
            *(
                f"{percent(found['observed'] / found['resources'])} / "
                f"{percent(found['expected'] / found['resources'])} / {percent(found['savings'])}"
                for found in origin["caps"].values()
            ),
        ]
        for catalog, report in reports.items()
        for origin in report["origins"]
    ]
    names = [f"at most {float(cap):.0%}" for cap in reports["all"]["origins"][0]["caps"]]
    return table(["origin", *names], rows)


def scores_of(report: Report) -> str:
    """Return by score of the API what was predicted and what came, over all origins."""
    rows = []
    for score in range(5):
        found = [origin["scores"][score] for origin in report["origins"]]
        quiet, shifted = found[:-1], found[-1:]
        options = sum(one["options"] for one in found)
        rows.append(
            [
                str(score),
                f"{options:,}",
                _rate(found, "expected"),
                _rate(quiet, "observed"),
                _rate(shifted, "observed"),
            ]
        )
    headings = ["score", "options", "predicted %", "violated %, quiet origins"]
    return table([*headings, "at the last origin"], rows)


def _rate(found: Sequence[Report], key: str) -> str:
    options = sum(one["options"] for one in found)
    total = sum((one[key] or 0.0) * one["options"] for one in found)
    return percent(total / options) if options else ""


def ablation(study: Sequence[Report]) -> str:
    """Return what other features make of the advice and of the forecast."""
    rows = []
    for found in study:
        quiet, shifted = found["origins"][:-1], found["origins"][-1]
        rows.append(
            [
                found["features"],
                *(
                    f"{percent(_mean(one[key] for one in quiet))} / {percent(shifted[key])}"
                    for key in ("violations", "savings", "regret_at_realized")
                ),
                f"{_mean(one['log_score'] for one in quiet):.3f} / {shifted['log_score']:.3f}",
            ]
        )
    headings = ["features", "violations %", "savings %", "regret at what it spent"]
    return table([*headings, "log score"], rows)


def transfer(reports: Mapping[str, Report]) -> str:
    """Return what is deployed with knobs from the own past and from the other fleet."""
    named = {
        "Azure maxima, own past": "azure",
        "Azure averages, own past": "azure averages",
        "Azure averages, knobs from Bitbrains (August)": "to azure",
        "Bitbrains, own past": "cpu",
        "Bitbrains, knobs from Azure averages": "to bitbrains",
    }
    rows = []
    for title, key in named.items():
        policies = reports[key]["overall"]["policies"]
        scores = [
            policies[name]["deployed"][BUDGET] for name in ("default", "capped-sweep", "oracle")
        ]
        figures = [f"{percent(s['violations'])} / {percent(s['savings'])}" for s in scores]
        rows.append([title, *figures])
    return table(["fleet", "default", "capped-sweep at 5 %", "oracle at 5 %"], rows)


def hindsight(report: Report) -> str:
    """Return the savings of the best setting in hindsight beside what others measured."""
    rows = []
    for origin in report["origins"]:
        policies = origin["policies"]
        sweep = policies["capped-sweep"]["hindsight"].values()
        rule = policies["published-ec2-rule"]["hindsight"].values()
        sweep_on_500, oracle_on_500 = HINDSIGHT_ON_500[origin["origin"]]
        rows.append(
            [
                origin["origin"],
                " / ".join(f"{100 * one['savings']:.0f}" for one in sweep),
                sweep_on_500,
                " / ".join(f"{100 * one['savings']:.0f}" for one in rule),
                f"{100 * policies['oracle']['deployed'][BUDGET]['savings']:.0f}",
                oracle_on_500,
            ]
        )
    headings = ["origin", "capped sweep", "the same on 500", "best of the rule's presets"]
    return table([*headings, "oracle at 5 %", "the same on 500"], rows)


def losses(report: Report) -> str:
    """Return cost plus harm by policy, over all origins."""
    names = list(report["origins"][0]["policies"])
    prices = list(report["origins"][0]["policies"]["default"]["expected_loss"])
    rows = []
    for name in names:
        found = [origin["policies"][name]["expected_loss"] for origin in report["origins"]]
        rows.append([name, *(f"{sum(one[usd]['usd'] for one in found):,.0f}" for usd in prices)])
    return table(["policy", *(f"{usd} USD per machine" for usd in prices)], rows)


def beyond(report: Report) -> str:
    """Return depth of harm, reductions found, and upsizing, averaged over the origins."""
    rows = []
    for name in ("oracle", "default", "capped-sweep", "maximum-x-1.15", "kubecost", "vpa"):
        policies = [origin["policies"][name] for origin in report["origins"]]
        found = [policy["deployed"][BUDGET] for policy in policies]
        shares = ("violations_lenient", "median_savings", "downsizing_precision")
        upsized = [one["upsizing"]["recall"] for one in found if "upsizing" in one]
        rows.append(
            [
                name,
                f"{_mean(one['unserved_vcpu_hours_per_million'] for one in found):,.0f}",
                *(percent(_mean(one[share] for one in found)) for share in shares),
                percent(_mean(one["downsizing_recall"] for one in found)),
                percent(_mean(upsized)) if upsized else "",
            ]
        )
    headings = ["policy", "unserved per million", "violations at 0.5 %", "median savings %"]
    return table([*headings, "harmless reductions %", "of those possible %", "upsized %"], rows)


def _mean(values: Iterable[float | None]) -> float:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else 0.0


def robustness(study: Sequence[Report]) -> str:
    """Return what worse data does to the advice, averaged over the origins."""
    rows = []
    for name in study[0]["policies"]:
        found = [origin["policies"][name] for origin in study]
        for data in found[0]["worse_data"]:
            scores = [one["worse_data"][data] for one in found]
            keys = ("changed", "violations", "savings")
            figures = [percent(sum(s[key] for s in scores) / len(scores)) for key in keys]
            rows.append([name, data, *figures])
        days = [one["day_to_day"] for one in found]
        flips, returns = (
            percent(sum(d[k] for d in days) / len(days)) for k in ("flips", "returns")
        )
        rows.append([name, "from one day to the next", f"{flips}, back again {returns}", "", ""])
    return table(["policy", "data", "advice changed %", "violations %", "savings %"], rows)


def lookbacks(study: Mapping[str, Sequence[Report]]) -> str:
    """Return violations and savings by days of past, averaged over the origins."""
    rows = []
    for days, found in study.items():
        known = sum(origin["days_known"] for origin in found) / len(found)
        row = [days, f"{known:.0f}"]
        for name in ("default", "capped-sweep"):
            scores = [origin["policies"][name]["deployed"][BUDGET] for origin in found]
            row += [
                percent(sum(s[key] for s in scores) / len(scores))
                for key in ("violations", "savings", "regret")
            ]
        rows.append(row)
    headings = ["days asked", "days there", "default: violations %", "savings %", "regret"]
    return table([*headings, "sweep at 5 %: violations %", "savings %", "regret"], rows)


def peers(report: Report) -> str:
    """Return the peers' rules as shipped, uncapped, beside what was measured on 447 machines."""
    (origin,) = report["origins"]
    rows = []
    for name, (title, published) in PUBLISHED_ON_447.items():
        found = origin["policies"][name]["as_shipped"]["uncapped"]
        ours = f"{percent(found['violations'])} / {percent(found['savings'])}"
        rows.append([title, published, ours])
    measured_on = f"here, {origin['scored']} machines"
    return table(["rule", "447 machines: violations / savings %", measured_on], rows)


def main(arguments: Sequence[str]) -> None:
    """Measure and write the page."""
    folder = Path(arguments[0]) if arguments else TRACES
    if not folder.is_dir():
        raise SystemExit(f"{folder} is no folder of traces; give one: write_quality.py FOLDER")
    TARGET.write_text(page(measured(folder)))


if __name__ == "__main__":
    main(sys.argv[1:])
