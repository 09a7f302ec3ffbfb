# Both resources that the provider has for Compute Optimizer, as a module under test.
#
# The variable AWS_ENDPOINT_URL_COMPUTE_OPTIMIZER leads the provider to an emulator; the rest of AWS
# is never asked, because the checks of the provider's own are off.

terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.53"
    }
  }
}

provider "aws" {
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_region_validation      = true
  skip_requesting_account_id  = true
}

variable "account_id" {
  type    = string
  default = "123456789012"
}

variable "status" {
  type    = string
  default = "Active"
}

variable "include_member_accounts" {
  type    = bool
  default = false
}

variable "preferred_types" {
  description = "Instance types to choose from; without any there are no preferences."
  type        = list(string)
  default     = []
}

variable "headroom" {
  type    = string
  default = "PERCENT_20"
}

resource "aws_computeoptimizer_enrollment_status" "this" {
  status                  = var.status
  include_member_accounts = var.include_member_accounts
}

resource "aws_computeoptimizer_recommendation_preferences" "instances" {
  count = length(var.preferred_types) > 0 ? 1 : 0

  resource_type = "Ec2Instance"

  scope {
    name  = "AccountId"
    value = var.account_id
  }

  preferred_resource {
    name         = "Ec2InstanceTypes"
    include_list = var.preferred_types
  }

  utilization_preference {
    metric_name = "CpuUtilization"
    metric_parameters {
      headroom  = var.headroom
      threshold = "P95"
    }
  }

  # Preferences can only be put where the account is enrolled.
  depends_on = [aws_computeoptimizer_enrollment_status.this]
}

output "members_opted_in" {
  value = aws_computeoptimizer_enrollment_status.this.number_of_member_accounts_opted_in
}
