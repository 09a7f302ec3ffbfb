"""Three questions to AWS Compute Optimizer: `as_found` in scripts, and `mended`."""
