# The front door. `make` alone prints this list.
.DEFAULT_GOAL := help
PYTHON ?= python3
RUN := .venv/bin/python
RASA := .venv-rasa/bin/python -m rasa
PORT := $(or $(NWD_PORT),8000)
export RASA_TELEMETRY_ENABLED := false
export SQLALCHEMY_SILENCE_UBER_WARNING := 1
export TF_CPP_MIN_LOG_LEVEL := 3

.PHONY: help setup run test check bench evaluate shots train fix lock clean

help: ## Show this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk 'BEGIN {FS = ":.*## "} {printf "  make %-9s %s\n", $$1, $$2}'

setup: ## Install both environments, train the assistant, build the index (only what has changed)
	@$(PYTHON) bootstrap.py

run: setup ## Start the whole product on this machine: http://127.0.0.1:8000/
	@exec $(RUN) -m channels run

test: setup ## Run all tests: unit, integration, end to end, browser
	@$(RUN) -m pytest -q -n 2 --dist loadfile --no-loadscope-reorder tests/integration tests/unit tests/test_house_rules.py
	@$(RUN) -m pytest tests/e2e tests/chaos

check: setup ## Lint, types, layers, content and Rasa data
	@$(RUN) -m ruff check .
	@$(RUN) -m ruff format --check .
	@$(RUN) -m mypy
	@.venv/bin/lint-imports
	@$(RUN) -m knowledge check
	@$(RUN) -m bot words
	@$(RUN) -m bot.checks $(RASA)

bench: setup ## Measure replies against bare Rasa, search, a bad network, publishing and importing (under 10 minutes)
	@$(RUN) -m tests.bench

evaluate: setup ## How well people are understood, kept safe and never turned away, in figures
	@$(RUN) -m tests.evaluate

shots: setup ## Take the pictures in the READMEs anew (needs Chromium)
	@$(RUN) -m tests.pictures

train: ## Train the assistant again
	@$(PYTHON) bootstrap.py train

fix: setup ## Format, and mend what ruff can mend
	@$(RUN) -m ruff check --fix . ; $(RUN) -m ruff format .

lock: ## Write both lock files from the environments as they are now
	@(echo '# Exact versions of everything the product and its tests use (Python 3.11+). Written by `make lock`.' ; \
	  $(RUN) -m pip freeze --exclude-editable | grep -viE '^(pip|setuptools|wheel)==' | sed 's/+cpu$$//') > requirements.lock.new
	@mv requirements.lock.new requirements.lock
	@(echo "# Exact versions for Rasa's own environment (Python 3.10). Written by \`make lock\`." ; \
	  .venv/bin/uv pip freeze --python .venv-rasa/bin/python 2>/dev/null) > requirements-rasa.lock.new
	@mv requirements-rasa.lock.new requirements-rasa.lock

clean: ## Remove what set-up built (not the data folder)
	@rm -rf .venv .venv-rasa .build
