"""What of a file the system holds in memory, and how it is made to forget it."""

import ctypes
import mmap
import os
from pathlib import Path

import pytest

SYSTEM = ctypes.CDLL(None, use_errno=True)


def forget(file: Path) -> None:
    """Have a file on its disk only; skip the test where the file system keeps it in memory."""
    descriptor = os.open(file, os.O_RDWR)
    try:
        # Not fsync, which waits for nothing in tests; what is not written cannot be forgotten.
        os.fdatasync(descriptor)
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    finally:
        os.close(descriptor)
    if in_memory(file):
        pytest.skip(f"the file system of {file.parent} keeps files in memory")


def in_memory(file: Path) -> bool:
    """Return whether a whole file lies in the page cache, by mincore(2): it reads nothing."""
    with file.open("r+b") as opened, mmap.mmap(opened.fileno(), 0) as mapped:
        pages = (ctypes.c_ubyte * -(-len(mapped) // mmap.PAGESIZE))()
        start = ctypes.c_char.from_buffer(mapped)
        try:
            failed = SYSTEM.mincore(ctypes.byref(start), ctypes.c_size_t(len(mapped)), pages)
        finally:
            del start  # Or the mapping cannot be closed.
    assert not failed, os.strerror(ctypes.get_errno())
    return all(page & 1 for page in pages)
