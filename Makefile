# Every target sets up what it needs, in .venv. Python 3.11 or newer: make PYTHON=python3.12 test
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
OLDEST := .venv-oldest
INSTALL = $(BIN)/uv pip install -q --python
# many tests start Python, which should not compile its libraries each time
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test lint check oldest oldest-all integrations clients wheel docs bench bench-fit bench-itemsets bench-rules \
	bench-refresh fuzz memory hard clean help

help:
	@echo "make demo   segment a real shop into shop.duckdb, and write report.html"
	@echo "make test   lint, types and all tests, with the newest and the oldest dependencies"
	@echo "make integrations, make clients  what other tools do with custseg_duck, each in an environment of its own"
	@echo "make oldest-all  all tests with the oldest dependencies (DuckDB 1.5)"
	@echo "make docs   docs/reference.md, out of what the files say of themselves"
	@echo "make bench  the whole command against pandas, scikit-learn and mlxtend (1 min)"
	@echo "make bench-fit  clustering against scikit-learn, 1M x 12 and 5M x 10"
	@echo "make bench-itemsets  itemsets against pyfim, rusket and mlxtend, on ten kinds of data (15 min)"
	@echo "make bench-rules  rules against mlxtend and rusket, rules about one item, offers (3 min)"
	@echo "make bench-refresh  a refresh beside a first run (1 min)"
	@echo "make fuzz   itemsets, rules and sequences against brute force on 500 random shops"
	@echo "make memory  itemsets of 33M lines within 500 MB"
	@echo "make hard   every promise of docs/hard-to-break.md in full (3 hours); make hard-kills and so on, one"

demo: $(VENV)/.demo
	@$(BIN)/custseg-duck demo --database shop.duckdb
	@$(BIN)/custseg-duck report --database shop.duckdb --to report.html

test: lint check oldest integrations client-shells wheel

lint: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

check: $(VENV)/.test
	$(BIN)/python -m pytest -n 2 --cov --cov-report=

# the core's tests at the other end of the dependencies' ranges
CORE := kmeans gmm features itemsets rules run portability export
oldest: $(OLDEST)/.test
	CUSTSEG_EXAMPLES=5 $(OLDEST)/bin/python -m pytest -n 2 $(CORE:%=tests/test_%.py)

oldest-all: $(OLDEST)/.test
	$(OLDEST)/bin/python -m pytest -n 2

# in one environment: dbt, marimo, SQLAlchemy, Harlequin
INTEGRATIONS := .venv-integrations
integrations: $(INTEGRATIONS)/.test
	$(INTEGRATIONS)/bin/python -m pytest -n 2 tests/integrations

# each in its own, because they need other versions: DuckDB's shell and Node, in every run, and these
CLIENTS := ibis jupysql quack sqlmesh
clients: client-shells $(CLIENTS:%=client-%)

client-shells: $(VENV)/.test .venv-duckdb-cli/.test tests/clients/node/node_modules/.test
	CUSTSEG_CLI_VENV=.venv-duckdb-cli $(BIN)/python -m pytest tests/clients/test_duckdb_cli.py tests/clients/test_node.py

client-%: .venv-%/.test
	.venv-$*/bin/python -m pytest tests/clients/test_$*.py

wheel: $(VENV)/.test
	$(BIN)/python tests/check_wheel.py

docs: $(VENV)/.test
	$(BIN)/python docs/make_reference.py
	$(BIN)/python docs/make_errors.py

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
		tests/test_rfm_segments.py tests/test_crosstab.py tests/test_drift.py tests/test_hazards.py

# one promise of docs/hard-to-break.md in full, its figure put into that page
HARD := calls kills faults memory crowd cycles interrupts names models locked laws oracles mutants
hard: $(HARD:%=hard-%)

hard-%: $(VENV)/.test
	$(BIN)/python -m tests.hard $* --record

$(VENV)/.uv:
	@echo "setting up $(VENV) (once)"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install -qq --disable-pip-version-check uv
	@touch $@

$(VENV)/.demo: $(VENV)/.uv pyproject.toml
	@$(INSTALL) $(BIN)/python --editable '.[cli,demo,report]'
	@touch $@

$(VENV)/.test: $(VENV)/.uv pyproject.toml
	@$(INSTALL) $(BIN)/python --editable '.[test]'
	@touch $@ $(VENV)/.demo

$(VENV)/.miners: $(VENV)/.test
	@$(INSTALL) $(BIN)/python pyfim rusket
	@touch $@

$(OLDEST)/.test: $(VENV)/.uv pyproject.toml tests/oldest.txt
	@echo "setting up $(OLDEST) (once)"
	@$(BIN)/uv venv -q --clear --python $(BIN)/python $(OLDEST)
	@$(INSTALL) $(OLDEST)/bin/python --editable '.[test]' --constraint tests/oldest.txt
	@touch $@

$(INTEGRATIONS)/.test: $(VENV)/.uv pyproject.toml
	@echo "setting up $(INTEGRATIONS) (once)"
	@$(BIN)/uv venv -q --clear --python $(BIN)/python $(INTEGRATIONS)
	@$(INSTALL) $(INTEGRATIONS)/bin/python --editable '.[cli,dbt,demo,harlequin,marimo,sqlalchemy]' pandas pytest pytest-xdist
	@touch $@

.venv-duckdb-cli/.test: $(VENV)/.uv tests/clients/requirements/duckdb-cli.txt
	@$(BIN)/uv venv -q --clear --python $(BIN)/python .venv-duckdb-cli
	@$(INSTALL) .venv-duckdb-cli/bin/python --requirements tests/clients/requirements/duckdb-cli.txt
	@touch $@

tests/clients/node/node_modules/.test: tests/clients/node/package.json
	@npm ci --silent --no-audit --no-fund --prefix tests/clients/node
	@touch $@

.PRECIOUS: .venv-%/.test
.venv-%/.test: $(VENV)/.uv pyproject.toml tests/clients/requirements/%.txt
	@echo "setting up .venv-$* (once)"
	@$(BIN)/uv venv -q --clear --python $(BIN)/python .venv-$*
	@$(INSTALL) .venv-$*/bin/python --compile-bytecode --editable . --requirements tests/clients/requirements/$*.txt
	@touch $@

clean:
	rm -rf .venv .venv-* build dist *.egg-info shop.duckdb shop.duckdb.wal report.html
