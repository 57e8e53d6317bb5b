# `make demo` shows what this is, `make test` checks everything; `make check` and `make fast`
# are the parts of it to run while you work. Each installs into .venv what it needs.
PYTHON ?= python3
VENV := .venv
WEB := autograd/page/web nn/picture/web nn/play/web
SCRIPTS := $(wildcard $(addsuffix /*.js,$(WEB)))
BIN := $(VENV)/bin
NODE := PATH="$(CURDIR)/$(BIN):$$PATH" $(VENV)/javascript/node_modules/.bin
PYTEST := $(BIN)/python -m pytest --numprocesses auto --dist worksteal

TWIN := setup.py $(wildcard autograd/core/*.c) autograd/core/in_c.py autograd/core/ops.py
PLAIN := tests/core autograd/core tests/compiler tests/test_micrograd.py tests/test_public_programs.py

.PHONY: demo check format test fast slow bench seeds gallery film notebook docs clean

demo: $(VENV)/installed
	$(BIN)/python -m demos.chain
	$(BIN)/python -m demos.moons

# Format, lint and types: no tests. On Python 3.10, NumPy's type hints are too old for mypy.
check: $(VENV)/installed-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	if $(BIN)/python -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then $(BIN)/mypy; fi
	$(BIN)/oxlint --deny-warnings --config autograd/page/web/.oxlintrc.json $(WEB)
	$(NODE)/prettier --check $(SCRIPTS)
	$(NODE)/tsc --project autograd/page/web/jsconfig.json

# Write the format that `make check` asks for.
format: $(VENV)/installed-dev
	$(BIN)/ruff format .
	$(NODE)/prettier --write $(SCRIPTS)

# The core's tests run twice: with its compiled twin, and in plain Python.
test: check
	$(PYTEST) -m "not slow"
	AUTOGRAD_PURE=1 $(PYTEST) -m "not slow" $(PLAIN)

# A minute or two: no long tests, no browser, no random cases, no demos.
fast: $(VENV)/installed-dev
	$(PYTEST) -m "not slow and not browser and not hypothesis" --ignore tests/demos --ignore demos

# The tests that take long.
slow: $(VENV)/installed-dev
	$(PYTEST) -m slow

# Beside PyTorch too, where it is installed.
bench: $(VENV)/installed-dev
	$(BIN)/python -m pip install --quiet --editable '.[demos,dev,bench]'
	$(BIN)/python -m tests.benchmarks

# What the demos reach, seed by seed; about a quarter of an hour.
seeds: $(VENV)/installed-dev
	$(BIN)/python -m tests.benchmarks.demos

# Every demo in full, and the pictures that the README shows.
LESSONS := chain gates boundary moons spirals descent overfit regularise dropout vanishing digits convolution names
gallery: $(VENV)/installed
	$(BIN)/python -m demos.chain --layers 1 --out demos/gallery/one-neuron
	set -e; for lesson in $(LESSONS); do \
	    $(BIN)/python -m demos.$$lesson --out demos/gallery; done

# The README's pictures of the pages, taken in a browser.
film: $(VENV)/installed-dev
	$(BIN)/python -m tests.film

# The notebooks, run, with what their cells show.
notebook: $(VENV)/installed-dev
	$(BIN)/python -m demos.build_notebook

# The site, in build/docs; it runs the lessons that have changed.
docs: $(VENV)/installed-dev
	$(BIN)/python -m sphinx -q -W --keep-going -d build/doctrees docs build/docs

clean:
	rm -rf $(VENV) build dist *.egg-info node_modules out
	rm -rf docs/lessons docs/notebooks docs/reference
	rm -rf .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage* coverage.xml htmlcov
	find . -name __pycache__ -prune -exec rm -rf {} +

$(VENV)/installed: pyproject.toml $(TWIN)
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --editable '.[demos]'
	touch $@

$(VENV)/installed-dev: $(VENV)/installed
	$(BIN)/python -m pip install --quiet --editable '.[demos,dev]'
	PATH="$(CURDIR)/$(BIN):$$PATH" npm install --silent --no-save --no-package-lock \
	    --prefix $(VENV)/javascript typescript@7.0.2 prettier@3.10.1
	touch $@
