"""The steps of the analysis of ECS services."""
