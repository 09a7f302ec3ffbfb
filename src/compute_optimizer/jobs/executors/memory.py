"""Memory that nobody holds any more, given back to the system."""

import ctypes
import sys


def give_back() -> None:
    """Have the C library give back what was freed, where it is one that can be told to.

    glibc gives back by itself only what lies behind all that is held: one small piece keeps all
    before it (malloc_trim(3)). musl and other systems know no such call.
    """
    if sys.platform != "linux":
        return
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
