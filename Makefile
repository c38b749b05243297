.DEFAULT_GOAL := help
.PHONY: help setup demo test test-long check fix bench torture calibrate accuracy train release-check lock

PYTHON ?= python3
BIN := .venv/bin
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Small products, and two processes side by side: more threads of the linear algebra only wait for each other.
export OPENBLAS_NUM_THREADS ?= 1

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1: /p' $(MAKEFILE_LIST)

# The stamp is as old as the lock that was installed: a changed lock installs again, anything else costs nothing.
.venv/installed: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; this is " + sys.version.split()[0] + ": run make PYTHON=python3.12")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --no-deps --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

setup: .venv/installed ## install into .venv what requirements.lock names, by hash

demo: setup ## fight 40 battles on the embedded model (no key), then write reports/demo/report.html
	$(BIN)/mitigation battle experiment=demo
	$(BIN)/mitigation report study=demo

test: setup ## run the tests, but for the long ones
	$(BIN)/python -m pytest -n 2 --dist worksteal -m "not long"

test-long: setup ## run the tests that take long: launchers, and studies in several processes
	$(BIN)/python -m pytest -n 2 --dist worksteal -m long

check: setup ## linters, types, import layers, then the tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(MAKE) test

fix: setup ## let the linters mend what they can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: setup ## speeds as ratios, side by side in one run
	$(BIN)/python -m tests.bench

torture: setup ## kill a study at 100 points and check that nothing is lost or paid twice
	$(BIN)/python -m tests.torture --points 100

calibrate: setup ## type I error, coverage and power of the primary test, by simulation
	$(BIN)/python -m tests.calibrate

accuracy: setup ## the detector on authors that it was not fitted to, beside its rules alone and a baseline
	$(BIN)/python -m tests.accuracy

train: setup ## make the detector's weights, and their accuracy, from the labelled messages in tests/data
	$(BIN)/python -m tests.training
	$(BIN)/python -m tests.accuracy >/dev/null

release-check: check ## everything long: two demos from a clean clone, calibration, accuracy, speeds
	bash tests/release.sh

lock: ## compile requirements.lock again (needs uv)
	uv pip compile pyproject.toml --extra chess --extra embedded --extra launchers --group dev --group model --group build --universal \
	  --python-version 3.11 --generate-hashes --quiet --output-file requirements.lock
