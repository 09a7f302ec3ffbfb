"""Replay windows of a fleet through sizing rules, and score what their advice would have done.

Pure: arrays in, scores out. trial -> policies -> choosing (knobs from the past) -> deployment,
scores, calibration -> run.
"""
