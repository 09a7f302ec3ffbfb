"""What came of advice that was followed, beside the replay of it.

A replay cannot tell what would have failed at another size: nobody ran it there. A change that was
made can.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from compute_optimizer.backtest.intervals import wilson
from compute_optimizer.model.outcome import JUDGED, Outcome, verdicts_of


def changes_of(found: Sequence[Outcome]) -> dict[str, Any]:
    """Return of how many changes what came, as a whole and by the dimensions that became smaller.

    Judged are those whose 14 days are over and that sent something (docs/deciding.md).
    """
    counts = verdicts_of(found)
    judged = [one for one in found if one.verdict in JUDGED]
    seen = Counter(name for one in judged for name in one.smaller_in if name not in one.unseen_in)
    hurt = Counter(name for one in judged for name in one.violated_in)
    return {
        "made": counts.changes,
        "judged": counts.judged,
        "violated": counts.violations,
        "interval": list(wilson(counts.violations, counts.judged)) if judged else None,
        "by_dimension": {
            name: {"judged": number, "violated": hurt[name]} for name, number in seen.items()
        },
    }
