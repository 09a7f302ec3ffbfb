"""AWS as a source: the inventory by its APIs, the metrics from CloudWatch.

access          profile or role -> a session of each account; which accounts and Regions there are
organization    the accounts of the organization
pace            how often an account is asked in one Region
calls           every call that is made, declared; what the IAM policy is made from
clients         how each service is spoken to
failing         what AWS refuses, as errors of this program
account_region  one account and Region: declared calls -> their answers, each asked once
records         what the answers of several services have in common
inventory       resource type -> its calls -> how their answers are read; the readers lie beside it
measures        which CloudWatch series make up which of ours, declared
discovery       series that only some customers have, with whatever dimensions they gave them
queries         what is wanted -> calls of GetMetricData within its limits
effort          what calls take, by CloudWatch's quotas and its list price
metrics         answers -> samples
insights        counters of databases that only Performance Insights tells
policy          the least IAM policy for all that, and the roles made from it
source          all of it behind `interfaces.MetricSource`
"""

from compute_optimizer.sources.aws.access import Access
from compute_optimizer.sources.aws.inventory import check_collected
from compute_optimizer.sources.aws.source import AwsSource

__all__ = ["Access", "AwsSource", "check_collected"]
