"""The steps of the analysis of licenses."""
