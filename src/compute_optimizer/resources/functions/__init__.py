"""The steps of the analysis of Lambda functions."""
