# The single door: every task of the project is a target here.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.DEFAULT_GOAL := help

help: ## what there is to do
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | awk -F'\t' '{printf "  make %-10s %s\n", $$1, $$2}'

$(READY): requirements.lock pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "casestream needs Python 3.11 as '$(PYTHON)'; name another one with: make PYTHON=/path/to/python3.11 ..." >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

install: $(READY) ## make the virtual environment, from the lock

up: $(READY) ## start engines and all roles, and say how to try it (ARGS="--detach --http-port 18080")
	$(BIN)/casestream up $(ARGS)

down: $(READY) ## stop what `make up` started in the background
	$(BIN)/casestream down $(ARGS)

demo: $(READY) ## fill a running stack with alerts and cases
	$(BIN)/casestream demo $(ARGS)

check: $(READY) ## lint, types, layers, schemas
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m schemas.derive

fast: $(READY) ## the tests that need no engine
	$(BIN)/pytest -p tests.ran -m "not engines" tests/unit tests/property tests/topology tests/golden $(ARGS)

test: check ## everything: checks, then all tests against real engines
	$(BIN)/pytest -p tests.ran $(ARGS)

chaos: $(READY) ## simulate faults from many seeds (SEEDS=2000), then hurt a running platform (ARGS="--json FILE")
	$(BIN)/python -m tests.simulation --seeds $(or $(SEEDS),2000)
	$(BIN)/python -m tests.chaos $(ARGS)

bench: $(READY) ## measure, beside a floor in the same run
	$(BIN)/python -m tests.bench $(ARGS)

golden: $(READY) ## rewrite the golden files after a change that is meant
	$(BIN)/pytest tests/golden --update-golden

protos: $(READY) ## generate the gRPC code anew after a change of schemas/proto
	$(BIN)/python -m grpc_tools.protoc -I . --python_out=. --pyi_out=. --grpc_python_out=. schemas/proto/*.proto

lock: $(READY) ## resolve the dependencies anew
	uv pip compile pyproject.toml --group dev --universal --python-version 3.11 --generate-hashes --no-annotate --no-header -o requirements.lock

wheel: $(READY) ## build the distribution
	$(BIN)/python -m build --no-isolation --outdir dist

clean: ## remove what can be made again
	rm -rf $(VENV) dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.PHONY: help install up down demo check fast test chaos bench golden protos lock wheel clean
