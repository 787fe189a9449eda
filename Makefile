# Every task of the repository. `make` alone lists them; each recipe is a line that a person could type.
SHELL := /bin/sh
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# What people type after `make run`, such as ARGS="--scale state".
ARGS ?=
UV_PIP := $(BIN)/uv pip install --quiet --python $(VENV) --constraint requirements.lock --editable protos
RUNTIME := .[hierarchy,groups,messaging,gateway,cli]
LOCKED := requirements.lock pyproject.toml protos/pyproject.toml
CONSOLE_SOURCES := $(shell find consoles -type f -not -path '*/node_modules/*' -not -path '*/dist/*' 2>/dev/null)
# The consoles need Node 20.19 or 22.12 and newer; any other machine gets it as a wheel.
NODE_FITS := node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit((a === 20 && b >= 19) || (a === 22 && b >= 12) || a > 22 ? 0 : 1)'
NPM := cd consoles && PATH="$(CURDIR)/$(BIN):$$PATH" npm

.DEFAULT_GOAL := help
.PHONY: help setup run test check protos schema settings fmt lint types arrows consoles conformance conformance-newest e2e faults bench images k8s-render deploy doctor clean lock

help:  ## List the targets
	@awk 'BEGIN {FS = ":.*## "} /^[a-z0-9-]+:.*## / {printf "  %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(VENV)/.runtime consoles/dist/.built  ## Install what running needs and build the consoles

run: setup  ## Start the whole platform with demo data (ARGS="--scale state" for the large one)
	@$(BIN)/chaupal up $(ARGS)

test: setup $(VENV)/.dev  ## Pass every test that this machine can run
	$(BIN)/pytest $(ARGS)
	$(NPM) test

check: $(VENV)/.dev $(VENV)/.k8s consoles/node_modules/.installed  ## Lint, types, arrows, drift: everything static
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/python protos/generate.py --check
	$(BIN)/python protos/generate.py --image .cache/protos.binpb
	$(BIN)/buf lint .cache/protos.binpb --config protos/buf.yaml
	$(BIN)/python -m gateway.schema --check
	$(BIN)/python docs/settings.py --check
	$(BIN)/python k8s/validate.py
	$(NPM) run check

protos: $(VENV)/.dev  ## Generate the typed stubs from the contracts
	$(BIN)/python protos/generate.py

schema: $(VENV)/.dev  ## Print the GraphQL schema and the subgraphs' SDLs
	$(BIN)/python -m gateway.schema --write

settings: $(VENV)/.dev  ## Write the page of settings from the code
	$(BIN)/python docs/settings.py

fmt: $(VENV)/.dev  ## Format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lint: $(VENV)/.dev  ## Lint Python
	$(BIN)/ruff check .

types: $(VENV)/.dev  ## Check types
	$(BIN)/mypy

arrows: $(VENV)/.dev  ## Check who may import whom
	$(BIN)/lint-imports

consoles: consoles/dist/.built  ## Build the consoles

conformance: $(VENV)/.dev  ## Run every port's suite over every adapter
	$(BIN)/pytest tests/conformance $(ARGS)

conformance-newest: $(VENV)/.dev  ## Run what needs Neo4j on its newest release (needs a JDK 21)
	NEO4J_TEST_VERSION=newest HYPOTHESIS_PROFILE=fast $(BIN)/pytest tests/conformance tests/adapters -m neo4j --ignore tests/adapters/test_neo4j_services.py $(ARGS)

e2e: setup $(VENV)/.dev  ## Run the scenarios against the real processes
	$(BIN)/pytest tests/e2e $(ARGS)

faults: $(VENV)/.dev  ## Kill and stop processes and stores, then count what was lost or doubled
	$(BIN)/pytest tests/faults $(ARGS)

bench: setup $(VENV)/.dev  ## Measure and print, with the machine's facts
	$(BIN)/python -m bench $(ARGS)

images:  ## Build the container images (needs Docker)
	docker build --target hierarchy --tag chaupal/hierarchy .
	docker build --target groups --tag chaupal/groups .
	docker build --target messaging --tag chaupal/messaging .
	docker build --target gateway --tag chaupal/gateway .

k8s-render: $(VENV)/.k8s  ## Render the manifests of the development overlay
	@$(BIN)/kubectl kustomize k8s/overlays/dev

deploy:  ## Apply the development overlay to the current cluster
	kubectl apply -k k8s/overlays/dev

doctor: $(VENV)/.runtime  ## Say what is wrong with this machine and what to do
	$(BIN)/chaupal doctor $(ARGS)

lock: $(VENV)/.uv  ## Resolve the dependencies again; releases younger than a week wait
	$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --all-extras --generate-hashes --no-annotate --no-header --no-emit-package chaupal-protos --exclude-newer "$$($(PYTHON) -c 'import datetime as d; print(d.date.today() - d.timedelta(7))')" pyproject.toml --output-file requirements.lock >/dev/null

clean:  ## Remove what was built; demo data in .data stays
	rm -rf $(VENV) .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache consoles/node_modules consoles/dist

$(VENV)/.uv:
	@echo "Setting up a virtual environment in $(VENV)"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Chaupal needs Python 3.11 or newer; choose one with make PYTHON=python3.12 ...")'
	@$(PYTHON) -m venv $(VENV) || { echo "On Debian: apt-get install python3-venv"; exit 1; }
	@$(BIN)/pip install --quiet --disable-pip-version-check uv==0.13.8
	@touch $@

$(VENV)/.runtime: $(VENV)/.uv $(LOCKED)
	@echo "Installing the platform"
	@$(UV_PIP) --editable '$(RUNTIME)'
	@touch $@

$(VENV)/.dev: $(VENV)/.runtime
	@echo "Installing the development tools"
	@$(UV_PIP) --editable '.[dev]'
	@touch $@

$(VENV)/.k8s: $(VENV)/.dev
	@$(UV_PIP) --editable '.[dev,k8s]'
	@touch $@

consoles/node_modules/.installed: consoles/package.json consoles/package-lock.json | $(VENV)/.runtime
	@echo "Installing what builds the consoles"
	@$(NODE_FITS) 2>/dev/null || $(UV_PIP) --editable '.[node]'
	@$(NPM) ci --no-audit --no-fund --loglevel=error
	@touch $@

consoles/dist/.built: consoles/node_modules/.installed $(CONSOLE_SOURCES)
	@echo "Building the consoles"
	@$(NPM) run build --silent
	@touch $@
