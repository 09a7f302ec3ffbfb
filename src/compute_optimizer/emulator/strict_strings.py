"""Values of enums that tell when a program compares them in a spelling that is never sent.

The service answers OVER_PROVISIONED where its model says Overprovisioned; a program that compares
with the other one is wrong in silence. In strict mode boto3's answers have strings that notice.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock
from types import CodeType, FrameType
from typing import Any
from urllib.parse import urlsplit

import yaml
from botocore import handlers
from botocore.model import ListShape, MapShape, Shape, StructureShape

from compute_optimizer.emulator.strict import FINDING_SPELLING, Violation, bare

EVENT = "after-call.compute-optimizer"
"""botocore's event with a parsed answer, before the program gets it."""

PASSED_OVER = frozenset({"boto3", "botocore", "jmespath", "numpy", "pandas"})
"""Packages that compare for a program, which stands further up in the stack."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Where a value was compared in a spelling that is never sent."""

    sent: str
    compared_with: str
    file: str
    line: int


class Comparisons:
    """The comparisons of one emulator's answers that can never be true."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._missed: list[tuple[EnumText, CodeType, Comparison]] = []

    def missed(self, text: "EnumText", other: str, frame: FrameType) -> None:
        """Note a comparison that would be true in another spelling."""
        frame = _of_program(frame)
        code = frame.f_code
        one = Comparison(str(text), str(other), code.co_filename, frame.f_lineno)
        with self._lock:
            self._missed.append((text, code, one))

    def hit(self, text: "EnumText", frame: FrameType) -> None:
        """Forgive a function that tried the value otherwise before: it knows both spellings."""
        if self._missed:
            code = _of_program(frame).f_code
            with self._lock:
                self._missed = [
                    one for one in self._missed if one[0] is not text or one[1] is not code
                ]

    def clear(self) -> None:
        """Forget the comparisons up to now."""
        with self._lock:
            self._missed = []

    def found(self) -> list[Comparison]:
        """Return each comparison once, in order."""
        with self._lock:
            return list(dict.fromkeys(one for _, _, one in self._missed))

    def violations(self) -> list[Violation]:
        """Return what is wrong in the comparisons."""
        return [
            Violation(
                FINDING_SPELLING,
                f"{one.file}:{one.line}: {one.sent!r} was compared with {one.compared_with!r}, "
                "which is never sent",
            )
            for one in self.found()
        ]


class EnumText(str):
    """A value of an enum; a str in everything but that it notes comparisons.

    Copies, pickles and whatever is made of it are plain strings.
    """

    __slots__ = ("_comparisons",)
    _comparisons: Comparisons

    def __new__(cls, text: str, comparisons: Comparisons) -> "EnumText":
        """Return the text, which tells its comparisons."""
        made = super().__new__(cls, text)
        made._comparisons = comparisons
        return made

    def __eq__(self, other: object) -> bool:
        return self._compare(other, sys._getframe(1))

    def __ne__(self, other: object) -> bool:
        same = self._compare(other, sys._getframe(1))
        return same if same is NotImplemented else not same

    __hash__ = str.__hash__

    def __reduce__(self) -> tuple[type[str], tuple[str]]:
        return str, (str(self),)

    def _compare(self, other: object, frame: FrameType) -> bool:
        same = str.__eq__(self, other)
        if same is True:
            self._comparisons.hit(self, frame)
        elif isinstance(other, str) and bare(self) == bare(other):
            self._comparisons.missed(self, other, frame)
        return same


@contextmanager
def watching(url: str, comparisons: Comparisons) -> Iterator[None]:
    """Have botocore's answers from an address notice comparisons until the block ends.

    Clients count that are made in the block by sessions made in it, or by boto3's default session.
    """

    def noticed(
        http_response: Any = None, parsed: Any = None, model: Any = None, **_: object
    ) -> None:
        if http_response is not None and urlsplit(http_response.url).port == port:
            noticing(parsed, model.output_shape, comparisons)

    port = urlsplit(url).port
    builtin = (EVENT, noticed)
    handlers.BUILTIN_HANDLERS.append(builtin)
    session = _default_session()
    if session is not None:
        session.register(EVENT, noticed)
    _let_yaml_write_them()
    try:
        yield
    finally:
        handlers.BUILTIN_HANDLERS.remove(builtin)
        if session is not None:
            session.unregister(EVENT, noticed)


def noticing(parsed: Any, shape: Shape | None, comparisons: Comparisons) -> Any:
    """Return a parsed answer whose values of enums notice comparisons; lists are changed in place.

    Members that the shape does not have stay as they are.
    """
    if isinstance(shape, StructureShape) and isinstance(parsed, dict):
        for name, member in shape.members.items():
            if name in parsed:
                parsed[name] = noticing(parsed[name], member, comparisons)
    elif isinstance(shape, ListShape) and isinstance(parsed, list):
        parsed[:] = [noticing(one, shape.member, comparisons) for one in parsed]
    elif isinstance(shape, MapShape) and isinstance(parsed, dict):
        for key, value in parsed.items():
            parsed[key] = noticing(value, shape.value, comparisons)
    elif isinstance(parsed, str) and shape is not None and "enum" in shape.metadata:
        return EnumText(parsed, comparisons)
    return parsed


def _of_program(frame: FrameType) -> FrameType:
    """Return the frame that compares, or the one for which a package does."""
    at: FrameType | None = frame
    while at is not None:
        if str(at.f_globals.get("__name__", "")).partition(".")[0] not in PASSED_OVER:
            return at
        at = at.f_back
    return frame


def _default_session() -> Any:
    """Return botocore's session under boto3's default one, if a program has made it already."""
    boto3 = sys.modules.get("boto3")
    default = getattr(boto3, "DEFAULT_SESSION", None)
    return getattr(default, "_session", None)


def _let_yaml_write_them() -> None:
    """Tell PyYAML, which knows no subclasses of str, how to write such values."""
    representer = yaml.representer.SafeRepresenter
    representer.add_representer(EnumText, representer.represent_str)
