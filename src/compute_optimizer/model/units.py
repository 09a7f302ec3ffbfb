"""What units of capacity and use are, in bytes."""

BYTES_PER_MIB = 2**20
BYTES_PER_GIB = 2**30
MIB_PER_GIB = 1024

BYTES_PER_GBIT = 1e9 / 8
"""Network bandwidth is published in decimal gigabits per second."""
