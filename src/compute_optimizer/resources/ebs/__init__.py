"""The steps of the analysis of EBS volumes."""
