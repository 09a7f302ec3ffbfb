"""What the analysis of RDS DB instances, their storage and Aurora clusters is made of."""
