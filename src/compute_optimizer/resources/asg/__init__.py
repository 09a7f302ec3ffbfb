"""The steps of the analysis of Auto Scaling groups: one machine type times the desired capacity."""
