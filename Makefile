# Every target sets up what it needs, in .venv. Python 3.11 or newer: make PYTHON=python3.12 test
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
OLDEST := .venv-oldest
PIP_INSTALL := -m pip install -qq --disable-pip-version-check

.PHONY: demo test lint check oldest oldest-all wheel bench bench-fit bench-itemsets bench-rules bench-refresh fuzz memory clean help

help:
	@echo "make demo   segment a real shop into shop.duckdb"
	@echo "make test   lint, types and all tests, with the newest and the oldest dependencies"
	@echo "make bench-fit  clustering against scikit-learn, 1M x 12 and 5M x 10"
	@echo "make bench-itemsets  itemsets against pyfim, rusket and mlxtend, on ten kinds of data (15 min)"
	@echo "make bench-rules  rules against mlxtend and rusket, rules about one item, offers (3 min)"
	@echo "make bench-refresh  a refresh beside a first run (1 min)"
	@echo "make fuzz   itemsets, rules and sequences against brute force on 500 random shops"
	@echo "make memory  itemsets of 33M lines within 500 MB"
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
CORE := kmeans gmm metrics features itemsets rules run portability export
MORE := mining offers sweep own_features layouts recommendations doors hazards refresh models explain drift \
	tree crosstab rfm_segments help
oldest: $(OLDEST)/.test
	CUSTSEG_EXAMPLES=5 $(OLDEST)/bin/python -m pytest -n 2 $(CORE:%=tests/test_%.py)

oldest-all: oldest
	$(OLDEST)/bin/python -m pytest -n 2 $(MORE:%=tests/test_%.py)

wheel: $(VENV)/.test
	$(BIN)/python tests/check_wheel.py

bench: $(VENV)/.test
	$(BIN)/python benchmarks/run_pipeline.py

bench-fit: $(VENV)/.test
	$(BIN)/python benchmarks/run_fit.py --rows 1000000 --features 12
	$(BIN)/python benchmarks/run_fit.py --rows 5000000 --features 10 --rounds 1

MINERS := $(BIN)/python benchmarks/run_itemsets.py
bench-itemsets: $(VENV)/.miners
	$(MINERS) --check
	$(MINERS) --text --check --only "Complete Journey, products"
	$(MINERS) --text --only "Instacart-like, 300k"
	$(MINERS) --growth

bench-rules: $(VENV)/.miners
	$(BIN)/python benchmarks/run_rules.py

bench-refresh: $(VENV)/.test
	$(BIN)/python benchmarks/run_refresh.py

memory: $(VENV)/.miners
	$(MINERS) --memory-limit 500MB --rounds 1 --only "Instacart-like, 3.2M" --contenders engine macro

fuzz: $(VENV)/.test
	CUSTSEG_EXAMPLES=500 $(BIN)/python -m pytest -n 2 tests/test_mining.py tests/test_rules.py tests/test_offers.py \
		tests/test_rfm_segments.py tests/test_crosstab.py tests/test_drift.py

$(VENV)/.miners: $(VENV)/.test
	@$(BIN)/python $(PIP_INSTALL) pyfim rusket
	@touch $@

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
