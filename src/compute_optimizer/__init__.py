"""Open Compute Optimizer: rightsizing that speaks the AWS Compute Optimizer API."""

__version__ = "0.1.0"
