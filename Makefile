# `make` alone lists what there is. Everything is installed into .venv, nothing elsewhere.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SDKS := tests/sdks
SDK_VENV := .venv-sdks
ST_VENV := .venv-schemathesis
EXAMPLES := examples

.DEFAULT_GOAL := help
.PHONY: help install run demo test test-long lint types bench budget sdks dist smoke image lock sbom release-check openapi-check clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: $(VENV)/installed ## Install the sidecar and what its tests need into .venv

run: $(VENV)/run-installed ## Start the sidecar on 127.0.0.1:3000, with a stand-in where no account is set
	@$(BIN)/python -m sandbox run

demo: $(VENV)/demo-installed $(EXAMPLES)/node_modules/.installed ## Start a page and three backends that use the sidecar, without an account
	@$(BIN)/python -m examples.demo

# Three parts at once, on two cores, too: much of the time a test waits.
test: install sdks $(EXAMPLES)/node_modules/.installed ## Run the tests, but for those that take longest
	$(BIN)/python -m tests.parts -n 3 -m "not long"

test-long: install sdks ## Run those that take longest: failovers, restarts under load
	$(BIN)/python -m tests.parts -n 3 -m long

lint: install ## Check style and layout of the code
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: install ## Check the types
	$(BIN)/mypy
	$(BIN)/mypy examples

# BEFORE=FOLDER puts the sidecar of another checkout beside this one's. What is missing of nginx, Go
# and Node.js is left out, and the result says so. Each line can be run again by itself.
bench: $(VENV)/bench-installed sdks ## Measure all that the results hold (takes an hour)
	$(BIN)/python -m benchmarks.footprint
	$(BIN)/python -m benchmarks.imports
	$(BIN)/python -m benchmarks.peers $(if $(BEFORE),--before $(BEFORE))
	$(BIN)/python -m benchmarks.stages
	$(BIN)/python -m benchmarks.tokens
	$(BIN)/python -m benchmarks.sizes
	$(BIN)/python -m benchmarks.workers
	$(BIN)/python -m benchmarks.workers --parts 45
	$(BIN)/python -m benchmarks.limits
	$(BIN)/python -m benchmarks.killed
	$(BIN)/python -m benchmarks.counting
	$(BIN)/python -m benchmarks.rolling
	$(BIN)/python -m benchmarks.plots

budget: install ## Check that a forwarded call and an idle sidecar cost no more than they may
	$(BIN)/python -m benchmarks.budget

sdks: $(SDK_VENV)/installed $(SDKS)/node_modules/.installed ## Install the official SDKs that the tests drive

dist: install ## Build the wheel and the sdist, and check what is in them
	rm -rf dist
	$(BIN)/python -m build --outdir dist . >/dev/null
	$(BIN)/python -m release.contents dist

smoke: dist ## Install the wheel and the sdist alone, on each Python that is here (or PYTHONS=3.12), and use them
	$(BIN)/python -m release.smoke dist $(PYTHONS)

# It needs nothing that is installed: what it tries out it installs itself.
image: $(VENV)/bin/python ## Build the image's layout in a folder, use and measure it there (root, Linux)
	$(BIN)/python -m release.image

lock: install ## Write the exact packages of the image, with their hashes
	$(BIN)/python -m release.lock

sbom: install ## Write the bill of materials of the image into dist/
	$(BIN)/python -m release.sbom dist/chatproxy.cdx.json

release-check: dist ## Say whether this commit can be released: make release-check TAG=v1.2.3
	$(BIN)/python -m release.check $(TAG)

# Not among the tests: it takes minutes. schemathesis has an environment of its own.
openapi-check: install $(ST_VENV)/installed ## Try a sidecar with what its OpenAPI document allows and forbids
	SCHEMATHESIS=$(ST_VENV)/bin/st $(BIN)/python -m tests.openapi.check $(ARGS)

clean: ## Remove what was installed and built
	rm -rf $(VENV) $(SDK_VENV) $(ST_VENV) $(SDKS)/node_modules $(EXAMPLES)/node_modules benchmarks/peers/node_modules $(EXAMPLES)/page/socket.io.js build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "chatproxy needs Python 3.11 or newer: make PYTHON=python3.12 …"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/run-installed: $(VENV)/bin/python setup.cfg pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[socketio]'
	@touch $@

$(VENV)/demo-installed: $(VENV)/bin/python setup.cfg pyproject.toml constraints.txt $(EXAMPLES)/requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[socketio]' -r $(EXAMPLES)/requirements.txt
	@touch $@

$(VENV)/installed: $(VENV)/bin/python setup.cfg pyproject.toml constraints.txt $(EXAMPLES)/requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[test,lint,release]' -r $(EXAMPLES)/requirements.txt
	@touch $@ $(VENV)/run-installed $(VENV)/demo-installed

$(VENV)/bench-installed: $(VENV)/installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[bench]'
	@touch $@

# The SDKs have an environment of their own: one of them needs an older marshmallow.
$(SDK_VENV)/installed: $(SDKS)/requirements.txt
	$(PYTHON) -m venv $(SDK_VENV)
	$(SDK_VENV)/bin/python -m pip install --quiet --disable-pip-version-check -r $(SDKS)/requirements.txt
	@touch $@

$(ST_VENV)/installed: tests/openapi/requirements.txt
	$(PYTHON) -m venv $(ST_VENV)
	$(ST_VENV)/bin/python -m pip install --quiet --disable-pip-version-check -r tests/openapi/requirements.txt
	@touch $@

# Where Node.js is missing the tests that need it say that they were skipped.
$(SDKS)/node_modules/.installed: $(SDKS)/package-lock.json
	@if command -v npm >/dev/null; then \
		cd $(SDKS) && npm ci --silent --no-audit --no-fund && touch node_modules/.installed; \
	else echo "npm is not here: tests of the Node.js SDKs will be skipped"; fi

# The page takes the socket's client from here: it loads nothing from elsewhere.
$(EXAMPLES)/node_modules/.installed: $(EXAMPLES)/package-lock.json
	@if command -v npm >/dev/null; then \
		cd $(EXAMPLES) && npm ci --silent --no-audit --no-fund \
			&& cp node_modules/socket.io-client/dist/socket.io.esm.min.js page/socket.io.js \
			&& touch node_modules/.installed; \
	else echo "npm is not here: the demo cannot start, and its tests will be skipped"; fi
