# What the README names. The work is in infra/local/run.py; this file only gives it short names.
PYTHON ?= python3
MINISTACK_PORT ?= 4566
SIMULATOR_PORT ?= 3000
RUN = $(or $(shell command -v $(PYTHON)),$(error $(PYTHON) is missing: install Python 3.10 or newer, or say which one by PYTHON=python3.12)) infra/local/run.py

.DEFAULT_GOAL := help
.PHONY: help local test test-env lint docs bench chaos fuzz clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

local: ## the whole system on this machine, with a Slack to click on, until Ctrl-C (MINISTACK_PORT, SIMULATOR_PORT); with SLACK_BOT_TOKEN and SLACK_SIGNING_SECRET set: for that workspace
	@$(RUN) local --ministack-port $(MINISTACK_PORT) --simulator-port $(SIMULATOR_PORT)

test: ## every test (ARGS='name -- --nocapture' goes to cargo test)
	@$(RUN) test $(ARGS)

test-env: ## what single tests need: eval "$(make -s test-env)", then cargo test as usual
	@$(RUN) env

lint: ## format, clippy, cargo deny, cfn-lint, checkov, sam validate
	@$(RUN) lint

docs: ## the book, built into .local/book
	@$(RUN) docs

bench: ## what a start and an answer cost beside their gates, beside Bolt by the clock, and the whole stack (ARGS=counts, beside, stack, intake, growth)
	@$(RUN) bench $(ARGS)

# Optimised a little, and built to be built quickly: what is tried here is how much passes, and the local AWS has to keep up.
QUICK = CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_OPT_LEVEL=1 CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16

chaos: ## kills, freezes, lost answers, 429s, storms, rotations, replays, installs: what is lost or doubled (ARGS='rates same' or --tenth)
	@eval "$$($(RUN) env)" && $(QUICK) cargo run --locked --quiet --release --package tests --bin chaos -- $(ARGS)

fuzz: ## looks for inputs that break a promise, a minute for each target (ARGS='messages --seconds 600')
	@$(RUN) fuzz $(ARGS)

clean: ## remove what make local and make test made, except cargo's target directory
	rm -rf .local .aws-sam simulator/page/dist simulator/page/node_modules bench/bolt-javascript/node_modules
