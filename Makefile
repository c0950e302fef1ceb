# Two commands from a fresh machine: `make demo` and `make test`. Both set up .venv first.
# While working: `make quick`, which takes less than a minute.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Three processes on two cores, because many tests wait.
PYTEST := -m pytest -n 3 --dist worksteal
# The tests start many interpreters; where no bytecode may be written, each of them would compile the whole package.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo quick test lljit pythons lint bench fuzz mutants clean

demo: $(VENV)/.installed
	$(BIN)/symbiont-jit demo

quick: $(VENV)/.installed-test
	$(BIN)/python $(PYTEST) -m "not slow"

test: $(VENV)/.installed-test
	$(BIN)/python $(PYTEST)

# The quick tests with the other Pythons that are at hand, each in a virtual environment of its own.
PYTHONS ?= $(wildcard /usr/bin/python3 $(HOME)/.pyenv/versions/3.1[1-9]*/bin/python)
pythons:
	for python in $(PYTHONS); do \
	  $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' || continue; \
	  venv=.venv-$$($$python -c 'import platform; print(platform.python_version())'); \
	  test -x $$venv/bin/python || $$python -m venv $$venv || exit 1; \
	  $$venv/bin/python -m pip install --quiet --disable-pip-version-check --editable '.[test]' || exit 1; \
	  $$venv/bin/python $(PYTEST) -m "not slow" || exit 1; \
	done

# What compiled code is loaded by on other machines than x86-64, on this one.
lljit: $(VENV)/.installed-test
	$(BIN)/python $(PYTEST) --lljit -m "not slow" tests/backend tests/dispatch tests/engine tests/instrument tests/kernel tests/runtime

# The project's own C. demo/ and tests/frontend/corpus hold candidates, which stay as they were written.
OWN_C := $(wildcard src/symbiont_jit/runtime/*.[ch] src/symbiont_jit/dispatch/*.h src/symbiont_jit/evaluate/*.h tests/runtime/*.[ch])

lint: $(VENV)/.installed-lint
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/clang-format --dry-run --Werror $(OWN_C)

bench: $(VENV)/.installed
	$(BIN)/python benchmarks/dispatch.py
	$(BIN)/python benchmarks/memory.py
	$(BIN)/python benchmarks/safety.py
	$(BIN)/python benchmarks/lanes.py
	$(BIN)/python benchmarks/compile.py
	$(BIN)/python benchmarks/translation.py
	$(BIN)/python benchmarks/demo.py

# An hour by default; FUZZ="--seed 1 --count 500" for less.
FUZZ ?= --seed 0 --seconds 3600 --arena
fuzz: $(VENV)/.installed-test
	$(BIN)/python -m fuzz $(FUZZ)

# Whether the tests notice what is broken on purpose, in at most 90 minutes; MUTANTS="--seed 1 --count 30" for less.
MUTANTS ?= --seed 0 --count 300
mutants: $(VENV)/.installed-mutants
	$(BIN)/python -m mutants $(MUTANTS)

$(VENV)/.installed: pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	touch $@

$(VENV)/.installed-%: $(VENV)/.installed pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[$*]'
	touch $@

clean:
	rm -rf $(VENV) .venv-* .pytest_cache .mypy_cache .ruff_cache .hypothesis build dist
