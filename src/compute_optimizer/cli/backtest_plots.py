"""Plots of a backtest, as SVG and PNG, equal byte for byte for equal reports.

Drawn with matplotlib, the extra `plots`: nothing else of the program needs it.
"""

from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from compute_optimizer.errors import InvalidInput

Report = Mapping[str, Any]

DRAWN = ("default", "capped-sweep", "azure", "vpa", "krr", "kubecost", "seasonal-naive", "oracle")
"""Policies that plots show: ours, the strongest simple rule and the best known peers."""

SALT = "compute-optimizer"
"""Of the ids inside SVG files, which matplotlib draws at random otherwise."""

LIGHT = {"color": "0.9", "linewidth": 0.8}


def require_matplotlib() -> None:
    """Raise InvalidInput where matplotlib is not installed."""
    if find_spec("matplotlib") is None:
        raise InvalidInput(
            "--plots needs matplotlib, which is not installed; install it in a checkout with "
            "pip install '.[plots]'"
        )


def write_plots(report: Report, folder: Path) -> list[Path]:
    """Write every plot of every origin and return the files; raise InvalidInput without matplotlib.

    Savings against violations, reliability in log bins, and the expected-loss curve.
    """
    require_matplotlib()
    import matplotlib
    from matplotlib.figure import Figure

    folder.mkdir(parents=True, exist_ok=True)
    written = []
    with matplotlib.rc_context({"svg.hashsalt": SALT, "svg.fonttype": "none"}):
        for origin in report["origins"]:
            for name, draw in _PLOTS.items():
                figure = Figure(figsize=(7, 5), layout="constrained")
                draw(figure.add_subplot(), origin)
                for suffix, metadata in _FORMATS.items():
                    path = folder / f"{name}-{origin['origin']}.{suffix}"
                    figure.savefig(path, format=suffix, metadata=metadata, dpi=120)
                    written.append(path)
    return written


_FORMATS: Mapping[str, dict[str, Any]] = {"svg": {"Date": None}, "png": {"Software": None}}
"""Without the moment of writing, and without the version of the library."""


def _savings_against_violations(axes: Any, origin: Report) -> None:
    for name in (name for name in DRAWN if name != "default"):
        policy = origin["policies"][name]
        points = policy.get("front") or list(policy["deployed"].values())
        axes.plot(
            [100 * point["violations"] for point in points],
            [100 * point["savings"] for point in points],
            marker=".",
            linewidth=1,
            drawstyle="steps-post",
            label=f"{name}, in hindsight" if "front" in policy else name,
        )
    for name in ("default", "capped-sweep"):
        deployed = origin["policies"][name]["deployed"].values()
        axes.plot(
            [100 * point["violations"] for point in deployed],
            [100 * point["savings"] for point in deployed],
            marker="D",
            linestyle="none",
            label=f"{name}, deployed",
        )
    axes.set(xlim=(0, None), ylim=(0, 100))
    _finish(axes, "Violations, % of resources", "Savings, %", origin)


def _reliability(axes: Any, origin: Report) -> None:
    axes.plot([1e-3, 1], [1e-3, 1], **LIGHT)
    for name, found in origin["calibration"].items():
        # A logarithmic axis has no place for nothing: bins without a violation stand at its foot.
        shown = [bin_ for bin_ in found["reliability"] if bin_["expected"] > 0]
        axes.plot(
            [bin_["expected"] for bin_ in shown],
            [max(bin_["observed"], 1e-3) for bin_ in shown],
            marker="o",
            linewidth=1,
            label=name,
        )
    axes.set(xscale="log", yscale="log", xlim=(1e-4, 1), ylim=(1e-3, 1))
    _finish(axes, "Expected share of violations", "Observed share", origin)


def _expected_loss(axes: Any, origin: Report) -> None:
    for name in DRAWN:
        losses = origin["policies"][name]["expected_loss"]
        axes.plot(
            [float(usd) for usd in losses],
            [loss["usd"] for loss in losses.values()],
            marker=".",
            linewidth=1,
            label=name,
        )
    axes.set(xscale="log")
    _finish(axes, "USD per violated resource", "Cost and harm of two weeks, USD", origin)


def _finish(axes: Any, across: str, up: str, origin: Report) -> None:
    axes.set(xlabel=across, ylabel=up, title=f"Test window from {origin['origin']}")
    axes.grid(**LIGHT)
    axes.legend(fontsize="small")


_PLOTS: Mapping[str, Callable[[Any, Report], None]] = {
    "savings-against-violations": _savings_against_violations,
    "reliability": _reliability,
    "expected-loss": _expected_loss,
}
