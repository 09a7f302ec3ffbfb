"""Generated organizations, fleets and load: for the demo and for benchmarks. Pure: a seed in,
values out; nothing here was measured on a real machine."""
