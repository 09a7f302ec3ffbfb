"""What the resource types that run on EC2 share: dimensions, analysis, records, evidence."""
