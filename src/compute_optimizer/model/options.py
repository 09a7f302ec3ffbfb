"""The option of a recommendation that counts where nobody asks for other architectures."""

from collections.abc import Iterable
from typing import Protocol, TypeVar

from compute_optimizer.model.preferences import CURRENT


class Pooled(Protocol):
    """An option of an instance type or class."""

    @property
    def architecture_pool(self) -> str:
        """Return CURRENT or AWS_ARM64: the preference under which the option may be shown."""


_Option = TypeVar("_Option", bound=Pooled)


def first_option(options: Iterable[_Option]) -> _Option | None:
    """Return the best option of the present architecture, from options by rank; None without."""
    return next((one for one in options if one.architecture_pool == CURRENT), None)
