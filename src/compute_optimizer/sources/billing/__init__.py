"""What accounts were billed: CUR 2.0 and FOCUS files."""

from compute_optimizer.sources.billing.bills import read_billing as read_billing
