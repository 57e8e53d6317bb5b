# Two commands do everything: `make demo` and `make test`.
PYTHON ?= python3
VENV := .venv
WEB := autograd/page/web nn/picture/web
BIN := $(VENV)/bin
PYTEST := $(BIN)/python -m pytest --numprocesses auto --dist worksteal

.PHONY: demo test slow bench seeds gallery film notebook clean

demo: $(VENV)/installed
	$(BIN)/python -m demos.chain
	$(BIN)/python -m demos.moons

test: $(VENV)/installed-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/oxlint --deny-warnings --config autograd/page/web/.oxlintrc.json $(WEB)
	$(VENV)/javascript/node_modules/.bin/tsc --project autograd/page/web/jsconfig.json
	$(PYTEST) -m "not slow"

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
LESSONS := gates boundary moons spirals descent overfit vanishing digits
gallery: $(VENV)/installed
	$(BIN)/python -m demos.chain --out demos/gallery
	$(BIN)/python -m demos.chain --layers 1 --out demos/gallery/one-neuron
	set -e; for lesson in $(LESSONS); do \
	    $(BIN)/python -m demos.$$lesson --out demos/gallery; done

# The README's pictures of the pages, taken in a browser.
film: $(VENV)/installed-dev
	$(BIN)/python -m tests.film

# The lesson as a notebook, run, with what its cells show.
notebook: $(VENV)/installed-dev
	$(BIN)/python -m demos.build_notebook

clean:
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis

$(VENV)/installed: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --editable '.[demos]'
	touch $@

$(VENV)/installed-dev: $(VENV)/installed
	$(BIN)/python -m pip install --quiet --editable '.[demos,dev]'
	PATH="$(CURDIR)/$(BIN):$$PATH" npm install --silent --no-save --no-package-lock \
	    --prefix $(VENV)/javascript typescript@7.0.2
	touch $@
