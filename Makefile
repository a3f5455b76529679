# Everything that is built, run or checked, from one place; `make` alone lists it.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules --no-print-directory

VENV := .venv
BIN := $(VENV)/bin
PAGE := smc_trading_agent/api/static/index.html
CHART := smc_trading_agent/charts/static/chart.html
PYTHON_CODE := $(wildcard smc_trading_agent benchmarks scripts tests main_optimized.py)
TYPED_CODE := $(filter-out tests,$(PYTHON_CODE))
CORE_CODE := Cargo.toml Cargo.lock pyproject.toml \
	$(shell find crates -name '*.rs' -o -name Cargo.toml)
PEER := target/peers/release/peers-rust
PEER_CODE := $(wildcard benchmarks/peers_rust/Cargo.* benchmarks/peers_rust/src/*)
PAGE_CODE := $(shell find dashboard -name node_modules -prune -o -type f -print)

# The first of these that runs, is 3.11 or newer and can make environments; `make PYTHON=...` chooses another.
FIND_PYTHON = for candidate in python3.13 python3.12 python3.11 python3.14 python3; do \
	if $$candidate -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; \
	then echo $$candidate; break; fi; done
PYTHON ?= $(shell $(FIND_PYTHON))
SECONDS ?= 60

export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Cargo builds the binding against this environment's interpreter, whichever other one is active.
export PYO3_PYTHON := $(CURDIR)/$(BIN)/python
IN_VENV := env -u CONDA_PREFIX VIRTUAL_ENV=$(CURDIR)/$(VENV) PATH="$(CURDIR)/$(BIN):$$PATH" PIP_NO_INDEX=1 PIP_QUIET=1

missing = { echo "make: $(1), then run make again." >&2; exit 1; }
NEED_PYTHON = test -n "$(PYTHON)" || $(call missing,Python 3.11 or newer with its venv module is missing: install it \
	(https://www.python.org or the packages python3 and python3-venv) or name one with PYTHON=)
NEED_RUST = rustc --version 2>/dev/null | awk '{ split($$2, v, ".") } END { exit !(v[1] > 1 || v[2] >= 88) }' \
	&& cargo --version >/dev/null 2>&1 \
	|| $(call missing,a Rust toolchain 1.88 or newer (rustc and cargo) is missing: install it with https://rustup.rs)
NEED_LINKER = command -v cc >/dev/null || $(call missing,the linker cc that Rust needs is missing: install gcc or clang)
NEED_NODE = node -e 'const [a, b] = process.versions.node.split("."); process.exit(a > 20 || (a == 20 && b >= 19) ? 0 : 1)' \
	2>/dev/null && command -v npm >/dev/null \
	|| $(call missing,Node 20.19 or newer with npm is missing: install it from https://nodejs.org)

.PHONY: help setup train-setup run test check bench fuzz docs docs-tables docs-pictures clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(VENV)/.dev $(VENV)/.core $(PAGE) $(CHART) ## make .venv, build the Rust core and the page, install the development tools

train-setup: setup $(VENV)/.train ## the same, and what `smc-agent train` needs (PyTorch, LightGBM, Ray: some gigabytes)

run: $(VENV)/.runtime $(VENV)/.core $(PAGE) ## start the agent in paper mode; its page is on http://localhost:8008
	@echo "==> Starting the agent (Ctrl-C stops it)"
	@if [ -f .env ]; then set -a; . ./.env; set +a; fi; exec $(BIN)/python main_optimized.py

test: setup ## run every test: the Rust core's, then Python's with coverage
	@echo "==> Testing the Rust core"
	cargo test --locked --quiet --package smc-core
	@echo "==> Testing the agent"
	$(BIN)/pytest tests/ --cov=smc_trading_agent $(if $(wildcard $(VENV)/.train),--cov-fail-under=90)

check: setup ## lint, formatting, types, security and import contracts of the Rust, Python and TypeScript code
	$(BIN)/ruff check $(PYTHON_CODE)
	$(BIN)/black --check --quiet $(PYTHON_CODE)
	$(BIN)/isort --check $(PYTHON_CODE)
	$(BIN)/flake8 --max-line-length=120 $(PYTHON_CODE)
	$(BIN)/mypy --strict $(TYPED_CODE)
	$(BIN)/bandit --quiet --recursive smc_trading_agent
	$(BIN)/lint-imports
	cargo fmt --check
	cargo fmt --check --manifest-path crates/smc-core/fuzz/Cargo.toml
	cargo fmt --check --manifest-path benchmarks/peers_rust/Cargo.toml
	cargo clippy --locked --quiet --workspace --all-targets -- -D warnings -D clippy::too_many_lines
	cd dashboard && npm run --silent check

bench: setup $(VENV)/.peers $(PEER) ## measure everything beside its peers; BENCH="--only legacy --quick" measures less
	$(BIN)/python -m benchmarks $(BENCH)

# The core forbids unsafe code, so the targets need no address sanitizer and run on stable Rust; overflows and debug
# assertions are checked. What is found is kept in target/fuzz/ with the command that replays it.
fuzz: ## feed the core arbitrary bars and snapshots, each for SECONDS=60
	@cargo fuzz --version >/dev/null 2>&1 || $(call missing,cargo-fuzz is missing: cargo install cargo-fuzz --locked)
	@for target in readings restoring; do \
		mkdir -p target/fuzz/corpus/$$target target/fuzz/found/$$target; \
		(cd crates/smc-core && cargo fuzz run --sanitizer none --target-dir $(CURDIR)/target/fuzz $$target \
			$(CURDIR)/target/fuzz/corpus/$$target fuzz/seeds/$$target -- -max_total_time=$(SECONDS) -max_len=1100 \
			-artifact_prefix=$(CURDIR)/target/fuzz/found/$$target/ -malloc_limit_mb=256 -print_final_stats=1); \
	done

docs-tables: $(VENV)/.core ## write what docs/ and the types of the parameters say of the code from the code
	$(BIN)/python -m smc_trading_agent.runtime.reference_tables docs/reference
	$(BIN)/python -m smc_trading_agent.runtime.detector_reference smc_trading_agent/smc_detector/parameters.py
	$(BIN)/python -m smc_trading_agent.research.concept_pages .

docs-pictures: setup ## draw the pictures of the pages on the concepts anew, from the synthetic market
	mkdir -p docs/images/concepts
	folder=$$(mktemp -d); trap 'rm -r "$$folder"' EXIT; market="$$folder/synthetic.parquet"; \
	nightly="$$folder/synthetic_with_nights.parquet"; second="$$folder/synthetic_second.parquet"; \
	$(BIN)/smc-agent data synthesize --bars 120000 --seed 7 --out "$$market"; \
	$(BIN)/smc-agent data synthesize --bars 120000 --seed 7 --closed-hours 2 --out "$$nightly"; \
	$(BIN)/smc-agent data synthesize --bars 120000 --seed 8 --follow 7 --correlation 0.9 --out "$$second"; \
	$(BIN)/python -m smc_trading_agent.research.concept_pages.pictures . "$$market" "$$nightly" --with "$$second" \
		| PATH="$(CURDIR)/$(BIN):$$PATH" bash -euo pipefail
	$(MAKE) docs-tables

docs: $(VENV)/.dev ## build the documentation into site/
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet
	@echo "==> The documentation is in site/index.html"

clean: ## remove everything that was built, the environment included; state/ is kept
	rm -rf $(VENV) target site dist dashboard/node_modules $(dir $(PAGE) $(CHART)) smc_trading_agent/_core*.so
	rm -rf .coverage htmlcov .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache

$(VENV)/.made:
	@$(NEED_PYTHON)
	@echo "==> Creating $(VENV) with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.runtime: requirements.txt $(VENV)/.made
	@echo "==> Installing what the agent runs on (requirements.txt, verified by hash)"
	@$(BIN)/python -m pip install --require-hashes -r requirements.txt
	@touch $@

$(VENV)/.dev: requirements-dev.txt $(VENV)/.runtime
	@echo "==> Installing the development tools (requirements-dev.txt, verified by hash)"
	@$(BIN)/python -m pip install --require-hashes -r requirements-dev.txt
	@touch $@

# uv, since PyTorch brings gigabytes: it fetches them side by side and keeps one copy for all environments.
$(VENV)/.train: requirements-train.txt $(VENV)/.dev
	@echo "==> Installing what training needs (requirements-train.txt, verified by hash; some gigabytes the first time)"
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements-train.txt
	@touch $@

$(VENV)/.peers: benchmarks/requirements.txt $(VENV)/.dev
	@echo "==> Installing what ours is measured beside (benchmarks/requirements.txt, verified by hash)"
	@$(BIN)/python -m pip install --require-hashes -r benchmarks/requirements.txt
	@touch $@

$(PEER): $(PEER_CODE) $(CORE_CODE)
	@$(NEED_RUST)
	@echo "==> Building benchmarks/peers_rust (a minute the first time)"
	@cargo build --release --locked --quiet --manifest-path benchmarks/peers_rust/Cargo.toml --target-dir target/peers
	@touch $@

$(VENV)/.core: $(CORE_CODE) | $(VENV)/.runtime
	@$(NEED_RUST)
	@$(NEED_LINKER)
	@echo "==> Building the Rust core (a minute or two the first time)"
	@$(IN_VENV) maturin develop --release --locked
	@touch $@

dashboard/node_modules/.package-lock.json: dashboard/package.json dashboard/package-lock.json
	@$(NEED_NODE)
	@echo "==> Installing what the page is built with (npm)"
	@cd dashboard && npm ci --no-audit --no-fund
	@touch $@

$(PAGE): $(PAGE_CODE) dashboard/node_modules/.package-lock.json
	@echo "==> Building the page"
	@cd dashboard && npm run build
	@touch $@

$(CHART): $(PAGE_CODE) dashboard/node_modules/.package-lock.json
	@echo "==> Building the page of smc-agent chart"
	@cd dashboard && npm run build:chart
	@touch $@
