# Everything that a fresh machine needs beside Python 3.11 or newer, make and git.
# Each environment is a folder .venv-NAME of its own, made once from its lock in constraints/.

PORT ?= 8080
CLIENTS := client-boto3-new client-boto3-1.26 client-aiobotocore client-awscli client-c7n client-cid client-pandas client-plugin-new client-plugin-1.26 client-js

ifndef PYTHON
PYTHON := $(shell for p in python3.11 python3 python3.12 python3.13 python3.14 python; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)
endif
ifeq ($(strip $(PYTHON)),)
$(error Python 3.11 or newer is needed and none was found; name one: make PYTHON=/path/to/python)
endif

ENVIRONMENTS := $(PYTHON) scripts/environments.py
DEV := .venv-dev/bin

# Providers of Terraform that are on this machine already: tests/local_terraform.py.
ifndef TF_PLUGIN_MIRROR
MIRRORS := $(wildcard $(addsuffix /*/hashicorp/aws,$(HOME)/.terraform.d/plugins \
	/usr/local/share/terraform/plugins /usr/share/terraform/plugins /opt/*))
TF_PLUGIN_MIRROR := $(if $(MIRRORS),$(abspath $(firstword $(MIRRORS))/../../..))
endif
export TF_PLUGIN_MIRROR

# Tests also wait, for servers and for processes that they kill: one more than there are cores.
TESTERS ?= $(shell $(PYTHON) -c 'import os; print(min(4, (os.cpu_count() or 1) + 1))')

# As the program has it for itself: numpy's threads would look for work, and find none.
test: export OPENBLAS_NUM_THREADS := 1

# Images of containers often set this; every process of a test would compile the program anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help demo test check format environments test-clients test-browser test-containers bench bench-full quality lock generate dev clean

help: ## Show what can be made
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1@\2/p' $(MAKEFILE_LIST) | while IFS=@ read -r a b; do printf '%-22s %s\n' "$$a" "$$b"; done

demo: ## Run the main job on a generated fleet and serve the API on 127.0.0.1 (PORT=8080)
	@$(ENVIRONMENTS) create run
	@.venv-run/bin/compute-optimizer demo --port "$(PORT)" --data-dir .demo

test: dev ## Run the tests (everything but the foreign clients and the browser)
	@$(ENVIRONMENTS) create ministack identity-provider
	@$(DEV)/python -m pytest -q -n $(TESTERS) --dist worksteal

check: dev ## Check format, lint, types, import contracts, spelling and generated files
	$(DEV)/ruff format --check .
	$(DEV)/ruff check .
	$(DEV)/mypy
	$(DEV)/lint-imports
	$(DEV)/codespell
	$(DEV)/python scripts/check_generated.py

format: dev ## Format the code and apply the fixes that lint knows
	$(DEV)/ruff check --fix .
	$(DEV)/ruff format .

test-clients: dev ## Run foreign clients, each in an environment of its own, against a served process
	@$(ENVIRONMENTS) create $(CLIENTS)
	@$(DEV)/python -m pytest -q -n 2 --dist loadfile -m clients tests/clients

test-browser: ## Open every page of the console in Chromium; screenshots go to .artifacts/console
	@$(ENVIRONMENTS) create browser identity-provider
	@.venv-browser/bin/python -m pytest -q -n 2 --dist loadgroup -m browser --confcutdir tests/browser tests/browser

test-containers: dev ## Build the images and run them, the compose file and the systemd units (root)
	@$(DEV)/python -m pytest -q -m containers tests/containers

bench: dev ## Measure in some ten minutes, and write docs/performance.md
	@$(DEV)/python -m benchmarks; measured=$$?; $(DEV)/python -m benchmarks.page && exit $$measured

bench-full: dev ## The same at full size: says first what time and disk that takes
	@$(DEV)/python -m benchmarks --full; measured=$$?; $(DEV)/python -m benchmarks.page && exit $$measured

quality: dev ## Measure the advice on the public traces and write docs/quality.md
	@$(DEV)/python scripts/write_quality.py

dev:
	@$(ENVIRONMENTS) create dev

environments: dev ## Make every environment that the tests want, several at once
	@$(ENVIRONMENTS) create ministack identity-provider browser $(CLIENTS)

lock: ## Write the locks in constraints/ anew from what pyproject.toml declares
	@$(ENVIRONMENTS) lock

clean: ## Remove the environments and the demo's data
	rm -rf .venv-run .venv-dev .venv-ministack .venv-client-* .venv-browser .venv-identity-provider .artifacts .demo
