"""The organization of the demo: one management account and two members."""

from compute_optimizer.model.account import Account, Organization

MANAGEMENT_ACCOUNT_ID = "111111111111"
MEMBER_ACCOUNT_IDS = ("222222222222", "333333333333")

ORGANIZATION = Organization("o-demo000000", MANAGEMENT_ACCOUNT_ID)

ACCOUNTS = (
    Account(MANAGEMENT_ACCOUNT_ID, "Platform", ORGANIZATION.organization_id),
    Account(MEMBER_ACCOUNT_IDS[0], "Shop", ORGANIZATION.organization_id),
    Account(MEMBER_ACCOUNT_IDS[1], "Analytics", ORGANIZATION.organization_id),
)
