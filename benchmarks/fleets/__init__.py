"""Fleets of any size for benchmarks, made of the load of real machines; seeded.

    profiles   the load of each machine of the public traces, on the five-minute grid
    recipe     a resource of a fleet: which profile, how scaled, shifted, disturbed; its type
    writing    the fleet as tiles of a data folder, or as files to import

`python -m benchmarks.fleets` writes one.
"""
