# `make help` lists what this file can do. Everything is installed into .venv, at the versions in constraints.txt.

PYTHON ?= python3
BIN := .venv/bin
STORES := embedded
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_CONSTRAINT := constraints.txt

.DEFAULT_GOAL := help
.PHONY: help run test check format clean

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/make \1	\2/p' Makefile

run: .venv/run ## set up everything and serve (Ctrl-C stops it)
	@exec $(BIN)/python -m service

test: .venv/test ## set up everything and run the tests
	@$(BIN)/python tools/browser.py
	@$(BIN)/coverage erase
	@$(BIN)/coverage run -m pytest
	@$(BIN)/coverage combine --quiet
	@$(BIN)/coverage report

check: .venv/test ## lint, types, and what else judges without running
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/djlint --quiet --check --lint templates
	@$(BIN)/hadolint Dockerfile
	@$(BIN)/check-jsonschema --builtin-schema vendor.compose-spec docker-compose.yml

format: .venv/test ## lay the code out
	@$(BIN)/ruff check --fix --quiet .
	@$(BIN)/ruff format .

clean: ## remove what was installed; the data in var/ stays
	rm -rf .venv

.venv/run: pyproject.toml constraints.txt
	@$(PYTHON) tools/venv.py .venv
	@$(BIN)/python -m pip install --quiet --editable '.[embedded]'
	@touch $@

.venv/test: .venv/run
	@echo 'Installing what the tests need …'
	@$(BIN)/python -m pip install --quiet --editable '.[embedded,test]'
	@touch $@
