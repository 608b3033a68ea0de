# One task runner. `make` alone lists the targets; each sets up what it needs on first use.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do command -v $$p >/dev/null 2>&1 && \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null && { echo $$p; break; }; done)
BIN := .venv/bin
READY := .venv/.ready
PACKAGES := platform/avro/src platform/runtime/src platform/tool/src codegen/src services/src
SOURCES := $(PACKAGES) tests bench scripts .github/actions
# One more than cores, as tests of real parts wait a third of their time; at most six, as each has a PostgreSQL and a Redis of its own.
WORKERS ?= $(shell n=$$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2); echo $$(( n < 5 ? n + 1 : 6 )))
TESTS ?=
FUZZ_SECONDS ?= 60
MUTANTS ?=
REQUESTS ?= 500000
RUNS ?= consumers relays fenced doors stops outages brokers memory company

.PHONY: help setup bytecode demo up down test test-long chaos soak reliability test-deps check fmt generate snapshots bench fuzz mutants lock secrets stack-minimal stack-full

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf "  make %-14s %s\n", $$1, $$2 }'

$(READY): requirements.lock build.lock tools.lock scripts/bootstrap.py $(wildcard */pyproject.toml */*/pyproject.toml)
	@test -n "$(PYTHON)" || { echo "Python 3.11, 3.12 or 3.13 is needed and none was found. Install one, or say PYTHON=/path/to/python3." >&2; exit 3; }
	@$(PYTHON) scripts/bootstrap.py

setup: $(READY) ## make the Python environment that all other targets use

# What starts hundreds of interpreters compiles nothing twice, even where PYTHONDONTWRITEBYTECODE is set; pytest compiles tests itself.
bytecode: $(READY)
	@$(BIN)/python -m compileall -q $(PACKAGES) sdk/src tests -x '/test_'

demo: bytecode ## start everything with steady traffic and a live view; Ctrl-C ends it
	@$(BIN)/treaty demo

up: bytecode ## start Kafka, registry, Redis, mail sink and the services; Ctrl-C ends them
	@$(BIN)/treaty up

down: $(READY) ## end what `make up` or `make demo` started in another terminal
	@$(BIN)/treaty down

test: bytecode ## run the tests on real parts (TESTS=path to choose, WORKERS=n)
	@$(BIN)/python -m pytest -q -n $(WORKERS) --dist loadgroup -m "not chaos and not long" $(TESTS)

test-long: bytecode ## run what takes minutes: hundreds of hostile catalogs, whole guides, kills at every write
	@$(BIN)/python -m pytest -q -n $(WORKERS) --dist loadgroup -m "long and not chaos" $(TESTS)

chaos: bytecode ## kill processes and servers under load, and count what became of every event
	@$(BIN)/python -m pytest -q -n 2 --dist loadgroup -m chaos -s $(TESTS)

soak: bytecode ## a day of the registry in miniature: killed processes, a database that restarts, every answer checked (REQUESTS=n)
	@$(BIN)/python -m tests.soak.registry --requests $(REQUESTS)

reliability: bytecode ## kill, stop and cut off at full size, and write docs/reliability.md: an hour (RUNS="consumers relays")
	@for run in $(RUNS); do $(BIN)/python -m tests.reliability $$run --write || exit; done

test-deps: $(READY) ## install what tests need beyond wheels: a browser and a font (apt, as root), else say how
	@$(BIN)/python scripts/test_deps.py

check: $(READY) ## format, lint, types, arrows, generated files, schemas, documents
	@$(BIN)/ruff format --check $(SOURCES)
	@$(BIN)/ruff check $(SOURCES)
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/treaty generate --check
	@$(BIN)/treaty owners --check
	@$(BIN)/treaty lint
	@$(BIN)/treaty breaking --against releases
	@$(BIN)/codespell
	@$(BIN)/yamllint --strict .
	@$(BIN)/python scripts/check_compose.py

fmt: $(READY) ## format the code and mend what the linter can mend
	@$(BIN)/ruff check --fix --quiet $(SOURCES) || true
	@$(BIN)/ruff format $(SOURCES)

generate: $(READY) ## write sdk/, the catalogue and the owners of schemas anew from schemas/
	@$(BIN)/treaty generate
	@$(BIN)/treaty owners --write .github/CODEOWNERS

snapshots: $(READY) ## rewrite expected blocks in documents and cases; review the diff like code
	@TREATY_SNAPSHOTS=write $(BIN)/python -m pytest -q -p no:randomly -m snapshot

bench: $(READY) ## measure: ratios and counts, printed with the README's table
	@.venv/tools/bin/uv pip install -q --no-build --require-hashes --python $(BIN)/python -r bench.lock || echo "Others' clients could not be installed and have no row." >&2
	@$(BIN)/python -m bench

fuzz: $(READY) ## look for bytes and schema texts that break the Avro engine (FUZZ_SECONDS=60 each)
	@$(BIN)/python -c 'import atheris' 2>/dev/null || .venv/tools/bin/uv pip install -q --no-build --require-hashes --python $(BIN)/python -r fuzz.lock || true
	@if $(BIN)/python -c 'import atheris' 2>/dev/null; then \
		for target in decoder parser; do $(BIN)/python -m tests.fuzz.fuzz $$target -max_total_time=$(FUZZ_SECONDS) || exit; done; \
	else echo "The fuzzer is not installed and fuzzing is skipped: atheris has wheels for Linux on x86-64 (fuzz.lock)." >&2; [ "$$CI" != true ]; fi

mutants: $(READY) ## plant faults in the Avro engine and the runtime's decisions; a test must fail for each (MUTANTS=runtime for one area, --guards for the guards alone)
	@failed=0; \
	  $(BIN)/python -m tests.mutants.run --workers $(WORKERS) $(MUTANTS) || failed=1; \
	  test -n "$(MUTANTS)" || $(BIN)/python -m pytest -q tests/mutants/designs || failed=1; \
	  exit $$failed

lock: $(READY) ## renew the locks after a change of dependencies (no URL gets into them)
	@UV_PYTHON_DOWNLOADS=never .venv/tools/bin/uv lock --quiet
	@.venv/tools/bin/uv export --quiet --all-packages --all-groups --no-group fuzz --no-group bench --no-emit-workspace --no-header --no-annotate -o requirements.lock
	@.venv/tools/bin/uv pip compile -q --universal --generate-hashes --no-header --no-annotate --python-version 3.11 scripts/build.in -o build.lock
	@.venv/tools/bin/uv pip compile -q --universal --generate-hashes --no-header --no-annotate --python-version 3.11 scripts/tools.in -o tools.lock
	@for group in fuzz bench; do .venv/tools/bin/uv export --quiet --only-group $$group --no-emit-workspace --no-header --no-annotate -o $$group.lock; done
	@for image in mall "treaty --extra registry"; do set -- $$image; \
		.venv/tools/bin/uv export --quiet --package $$image --no-default-groups --no-emit-workspace --no-header --no-annotate -o ops/images/$$1.lock; done
	@! grep -nE '://|^-' ops/images/*.lock fuzz.lock bench.lock requirements.lock build.lock tools.lock

secrets: $(READY) ## write random secrets for the containers into .secrets/ (once; never in git)
	@$(BIN)/python scripts/make_secrets.py

stack-minimal: secrets ## the same stack in containers (needs a container engine)
	@docker compose up --build --wait

stack-full: secrets ## with the services that count, find and remember too
	@docker compose --profile full up --build --wait
