"""Files as a source: an inventory and metrics that the user exported from somewhere.

vocabulary   the metrics and statistics that are kept
columns      which column names are understood
tables       CSV and Parquet files as batches of Arrow columns with their row numbers
values       columns -> numbers and moments, with the cells that are neither
mapping      the user's YAML for foreign files
layouts      which column holds what: long or wide
metrics      batches -> samples
inventory    rows -> resources
refusals     what was not taken, where and why
"""
