"""Decisions without I/O, batch-first: arrays whose leading axis is the resource.

usage -> demand -> options -> credits -> risk -> ranking -> finding, put together in `recommender`.
"""
