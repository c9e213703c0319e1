# Every target sets up what it needs, in .venv. Python 3.11 or newer: make PYTHON=python3.12 test
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
OLDEST := .venv-oldest
PIP_INSTALL := -m pip install -qq --disable-pip-version-check

.PHONY: demo test lint check oldest wheel bench bench-fit clean help

help:
	@echo "make demo   segment a real shop into shop.duckdb"
	@echo "make test   lint, types and all tests, with the newest and the oldest dependencies"
	@echo "make bench-fit  clustering against scikit-learn, 1M x 12 and 5M x 10"
	@echo "make bench  the whole command against pandas, scikit-learn and mlxtend"

demo: $(VENV)/.demo
	@$(BIN)/custseg-duck demo --database shop.duckdb

test: lint check oldest wheel

lint: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

check: $(VENV)/.test
	$(BIN)/python -m pytest -n 2

# the core's tests at the other end of the dependencies' ranges
CORE := kmeans gmm sweep metrics features own_features itemsets run layouts portability
oldest: $(OLDEST)/.test
	$(OLDEST)/bin/python -m pytest -n 2 $(CORE:%=tests/test_%.py)

wheel: $(VENV)/.test
	$(BIN)/python tests/check_wheel.py

bench: $(VENV)/.test
	$(BIN)/python benchmarks/run_pipeline.py

bench-fit: $(VENV)/.test
	$(BIN)/python benchmarks/run_fit.py --rows 1000000 --features 12
	$(BIN)/python benchmarks/run_fit.py --rows 5000000 --features 10 --rounds 1

$(VENV)/.demo: pyproject.toml
	@echo "setting up $(VENV) (once, about a minute)"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python $(PIP_INSTALL) --editable '.[cli,demo]'
	@touch $@

$(VENV)/.test: pyproject.toml
	@echo "setting up $(VENV) (once, about two minutes)"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python $(PIP_INSTALL) --editable '.[test]'
	@touch $@ $(VENV)/.demo

$(OLDEST)/.test: pyproject.toml tests/oldest.txt
	@echo "setting up $(OLDEST) (once, about two minutes)"
	@$(PYTHON) -m venv $(OLDEST)
	@$(OLDEST)/bin/python $(PIP_INSTALL) --editable '.[test]' --constraint tests/oldest.txt
	@touch $@

clean:
	rm -rf $(VENV) $(OLDEST) build dist *.egg-info shop.duckdb shop.duckdb.wal
