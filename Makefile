# Two commands for newcomers: `make demo` and `make test`. Everything else is for those who change Dayfly.
PYTHON ?= python3
UV_VERSION = 0.13.9
AZURITE_VERSION = 3.37.0
BIN = .venv/bin

.PHONY: install old-client dask-operators azurite demo test test-browser test-cluster check bench bench-million bench-console bench-clusters lock clean

install: .venv/installed

.venv/installed: requirements.lock pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "Dayfly needs Python 3.10 or newer: sudo apt install python3 python3-venv"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || { echo "Dayfly needs Python 3.10 or newer; $$($(PYTHON) --version) is here. Name another one: make PYTHON=python3.11 $(MAKECMDGOALS)"; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { echo "Python's venv module is missing: sudo apt install python3-venv"; exit 1; }
	@echo "Installing what requirements.lock names into .venv ..."
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --compile-bytecode --requirement requirements.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --editable .
	@touch $@

# An older flytekit and an older dask beside ours, for the tests of them.
old-client: .venv-old/installed

.venv-old/installed: requirements-old-client.lock | install
	@test -x .venv-old/bin/python || $(BIN)/python -m venv .venv-old
	@$(BIN)/uv pip install --quiet --python .venv-old/bin/python --requirement requirements-old-client.lock
	@touch $@

# The Dask operator, today's and that of a year before, each in an environment of its own, for the tests on Kubernetes.
dask-operators: .venv-dask-operator/installed .venv-older-dask-operator/installed

.venv-%/installed: requirements-%.lock | install
	@test -x $(@D)/bin/python || $(BIN)/python -m venv $(@D)
	@$(BIN)/uv pip install --quiet --python $(@D)/bin/python --requirement $<
	@touch $@

# Microsoft's emulator of Azure Blob Storage, for the tests of that; it wants Node.js.
azurite: .azurite/installed-$(AZURITE_VERSION)

.azurite/installed-%:
	@command -v npm >/dev/null || { echo "Azurite needs npm and Node.js: sudo apt install npm"; exit 1; }
	@mkdir -p .azurite
	@npm install --prefix .azurite --no-save --no-audit --no-fund --ignore-scripts --loglevel error azurite@$*
	@touch $@

demo: install
	@$(BIN)/python examples/demo.py

# RERUNS=1, as in CI: what fails of the tests with real processes is tried once more, and told.
RERUNS ?= 0

test: install
	@$(BIN)/python -m pytest tests/unit tests/property tests/contract -n 2
	@rm -rf .calls-seen
	@DAYFLY_CALLS_SEEN=$(CURDIR)/.calls-seen $(BIN)/python -m pytest tests/faults tests/clients -n 2 --dist loadfile --reruns $(RERUNS) -r fER --ignore tests/clients/test_zz_compatibility.py
	@DAYFLY_CALLS_SEEN=$(CURDIR)/.calls-seen $(BIN)/python -m pytest tests/clients/test_zz_compatibility.py

# Tasks as pods: wants KUBECONFIG, and in DAYFLY_TEST_CLUSTER_IMAGE an image that holds .venv and src at their own paths.
# What fails is tried once more, and told: a real cluster may be slow for reasons of its own.
test-cluster: install
	@DAYFLY_TEST_PATIENCE_SECONDS=240 $(BIN)/python -m pytest tests/cluster --reruns 1 -r fER

# The console in Chromium (sudo apt install chromium). DAYFLY_TEST_PICTURES=docs/images writes pictures of all screens.
test-browser: install
	@DAYFLY_TEST_NEED_BROWSER=1 $(BIN)/python -m pytest tests/browser -n 2 --dist loadfile --reruns 1 -r fER

check: install
	@$(BIN)/ruff format --check src tests benchmarks examples
	@$(BIN)/ruff check src tests benchmarks examples
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache

bench: install
	@$(BIN)/python -m benchmarks

bench-million: install
	@$(BIN)/python -m benchmarks.million_executions

bench-console: install
	@$(BIN)/python -m benchmarks.console

bench-clusters: install
	@$(BIN)/python -m benchmarks.many_clusters
	@$(BIN)/python -m benchmarks.recorder_overhead

lock: install
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.10 --extra dev --no-header --no-annotate pyproject.toml --output-file requirements.lock
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.10 --no-header --no-annotate --exclude-newer 2025-05-01 requirements-old-client.in --output-file requirements-old-client.lock
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.10 --no-header --no-annotate requirements-dask-operator.in --output-file requirements-dask-operator.lock
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.10 --no-header --no-annotate --exclude-newer 2025-02-15 requirements-older-dask-operator.in --output-file requirements-older-dask-operator.lock

clean:
	rm -rf .venv .venv-old .venv-dask-operator .venv-older-dask-operator .azurite .mypy_cache .ruff_cache .hypothesis
