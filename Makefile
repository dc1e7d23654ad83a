# Each target calls one tool. Works with GNU make 3.81 and newer, on Linux and macOS.
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install -q --disable-pip-version-check
# The first Python that is new enough; $PYTHON wins.
FIND := for p in $$PYTHON python3 python3.14 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done

.PHONY: help up test check bench lock messages clean

help:  ## what there is to call
	@sed -n 's/^\([a-z]*\):.*  ## \(.*\)/  make \1	\2/p' Makefile

up: $(VENV)/runtime.stamp  ## start Pupitre on this machine, ready to try
	@$(BIN)/pupitre up

test: $(VENV)/dev.stamp  ## the whole suite, with a real browser
	@$(BIN)/python house/chromium.py
	@$(BIN)/python -m pytest -n 2

check: $(VENV)/dev.stamp  ## format, lint, types, the import map, the catalogues and the islands
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/python -m house.catalogues check
	@$(BIN)/python -m house.islands

bench: $(VENV)/dev.stamp  ## the benchmarks, each with its ratio
	@for one in scope pages api memory fleet passwords "rosters --schools 4 --users 4000" "peak --minutes 1" full_size; do \
		$(BIN)/python -m bench.$$one || exit 1; done

lock: $(VENV)/dev.stamp  ## choose the newest versions the .in files allow
	@$(PIP) uv
	@for set in requirements/build requirements/runtime requirements/dev agent/requirements; do $(BIN)/uv pip compile -q --upgrade --universal --python-version 3.11 \
		--generate-hashes --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" \
		$$set.in -o $$set.txt || exit 1; done

messages: $(VENV)/dev.stamp  ## gather the words to translate
	@$(BIN)/python -m house.catalogues update

clean:  ## remove what can be made again; your data in var/ stays
	@rm -rf $(VENV) .mypy_cache .ruff_cache .hypothesis build dist src/*.egg-info agent/src/*.egg-info
	@find src tests house bench agent -name __pycache__ -prune -exec rm -rf {} +

$(VENV)/python.stamp:
	@python=$$($(FIND)); if [ -z "$$python" ]; then echo "Pupitre needs Python 3.11 or newer; here is" \
		"$$(python3 --version 2>&1). Install one, or name it: make PYTHON=/path/to/python up"; exit 1; fi; \
	$$python -m venv $(VENV) || { echo "Python cannot make environments. On Debian and Ubuntu: apt-get install python3-venv"; exit 1; }
	@touch $@

$(VENV)/runtime.stamp: $(VENV)/python.stamp requirements/build.txt requirements/runtime.txt pyproject.toml
	@echo "Installing what Pupitre stands on (once)."
	@$(PIP) --require-hashes -r requirements/build.txt -r requirements/runtime.txt
	@$(PIP) --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/dev.stamp: $(VENV)/runtime.stamp requirements/dev.txt
	@$(PIP) --require-hashes -r requirements/dev.txt
	@touch $@
