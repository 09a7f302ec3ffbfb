"""Which of the processes that serve together one is."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Member:
    """One of the processes that serve together."""

    number: int = 0
    """From 0 on; whoever takes the place of one that died has its number."""
    shared: Path | None = None
    """Folder of what all of them share, as long as they serve; None where there is one alone."""

    @property
    def keeps_house(self) -> bool:
        """Whether it does what one has to do for all."""
        return self.number == 0


ALONE = Member()
"""The one process of a server that has no more."""
