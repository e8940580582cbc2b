# `make help` lists the targets. Every one but help and clean first makes .venv complete and current.

# Any Python from 3.11 on: make book PYTHON=python3.12
PYTHON ?= python3
# Where the cohorts are kept between runs; without make it is the user's cache folder.
export VAEIMPUTE_CACHE ?= $(CURDIR)/data/cache
# For `make book` and `make notebooks`: only the chapters named, such as CHAPTER=04_expression_rmse
CHAPTER ?=
# For `make fetch`: a cohort's name; without one, those there are are listed
COHORT ?=
# For `make book`: other values for the chapters' parameters, such as PARAMETERS="n_trials=3"
PARAMETERS ?=
# For `make book`: the sizes to run the chapters in, PROFILE=paper or a .yml file; PARAMETERS prevail
PROFILE ?=

# Threads that wait shall sleep, not spin: on a machine that others use as well, spinning made
# training four times slower.
export OMP_WAIT_POLICY ?= PASSIVE
# numpy's own threads spin whatever that says, and on matrices of some hundred rows they cost more
# than they save: imputing 42 samples by SVD took 0.2 s with one thread and 0.8 s or more with two.
export OPENBLAS_NUM_THREADS ?= 1

# The kernel "python3" must be the one in .venv, whatever else the user has registered under that
# name, and nothing from outside may be imported there or choose its plotting window.
export JUPYTER_PREFER_ENV_PATH := 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1
unexport PYTHONPATH MPLBACKEND

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
CHECK := book/preflight.py
# Passes a step through and, if it fails on a full disk, ends with one line that says so.
WATCH = $(BIN)/python $(CHECK) --watch
CHAPTERS = $(foreach chapter,$(CHAPTER),--chapter '$(chapter)')
CHOSEN = $(foreach parameter,$(PARAMETERS),-p '$(subst =,' ',$(parameter))') \
  $(foreach profile,$(PROFILE),--profile '$(profile)')

# A complete environment does not need the Python it came from, unless another one is asked for.
ifeq ($(origin PYTHON)$(wildcard $(STAMP)),file$(STAMP))
CHOSEN_PYTHON := $(BIN)/python
else
CHOSEN_PYTHON := $(PYTHON)
endif
# The stamp names the folder and the Python version that it holds for: an environment cannot be
# moved, and asking for another Python must not be answered with the old one.
STAMP_TEXT := $(CURDIR) $(shell $(CHOSEN_PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)
ifneq ($(wildcard $(STAMP)),)
ifneq ($(shell cat $(STAMP)),$(STAMP_TEXT))
.PHONY: $(STAMP)
endif
endif

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help book test fetch notebooks bench lint constraints clean preflight

help: ## list the targets
	@echo "make TARGET [PYTHON=python3.12] [CHAPTER=...] [PARAMETERS=\"name=value ...\"]"
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  \1|\2/p' Makefile | awk -F'|' '{ printf "%-14s%s\n", $$1, $$2 }'

book: $(STAMP) ## execute the chapters that are not up to date, render the book to _build/html
	@echo "== book: executing the chapters in the quick mode"
	@$(WATCH) $(BIN)/python book/run_chapters.py --output _build/source/notebooks $(CHAPTERS) $(CHOSEN)
	@echo "== book: rendering"
	@$(WATCH) $(BIN)/python book/build_site.py --executed _build/source/notebooks --output _build

test: $(STAMP) ## run the tests, then every cell of the notebooks
	@echo "== test: pytest"
	@$(WATCH) $(BIN)/python -m pytest -n logical --maxprocesses 4
	@echo "== test: nbval, every cell of notebooks/"
	@$(WATCH) $(BIN)/python -m pytest --nbval-lax -n logical --maxprocesses 4 --dist loadfile notebooks/

fetch: $(STAMP) ## download and prepare a cohort for the chapters: make fetch COHORT=tcga-glioma
	@$(BIN)/vaeimpute fetch $(or $(COHORT),--list)

notebooks: $(STAMP) ## execute notebooks/ in place, ready to be committed with the figure of the README
	@echo "== notebooks: executing the chapters in place"
	@$(WATCH) $(BIN)/python book/run_chapters.py --in-place $(CHAPTERS) $(CHOSEN)
	@$(BIN)/python book/readme_figure.py

# On a machine that does nothing else; BENCH_SIZE=small tries it out. Peers get environments in _build.
bench: $(STAMP) ## measure time and memory beside the peers, into results/benchmarks (half an hour)
	@echo "== bench: imputation"
	@$(WATCH) $(BIN)/python benchmarks/imputation_speed.py
	@[ "$(BENCH_SIZE)" = small ] || $(BIN)/python book/readme_speed.py

lint: $(STAMP) ## check style, formatting and types
	@echo "== lint: ruff"
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@echo "== lint: mypy"
	@$(BIN)/mypy

# torch moves only by hand (edit its line first): other versions of it may pull gigabytes.
constraints: preflight ## resolve the newest versions afresh and write constraints.txt
	@echo "== constraints: resolving in a new environment"
	@rm -rf _build/resolve && $(PYTHON) -m venv _build/resolve
	@grep '^torch==' constraints.txt > _build/resolve/torch.txt
	@_build/resolve/bin/python -m pip install --quiet --constraint _build/resolve/torch.txt ".[data,anndata,dask,devices,book,test,dev]"
	@{ sed -n '/^#/p' constraints.txt; \
	   _build/resolve/bin/python -m pip freeze --exclude vaeimpute | sed 's/+cpu$$//'; \
	 } > _build/resolve/new.txt
	@mv _build/resolve/new.txt constraints.txt && rm -rf _build/resolve
	@echo "constraints.txt written; now make lint test book"

clean: ## remove .venv, _build and caches; data/cache stays
	@echo "== clean: removing $(VENV), _build and caches"
	@rm -rf $(VENV) _build .pytest_cache .mypy_cache .ruff_cache .hypothesis
	@find vaeimpute tests book notebooks benchmarks \
	  \( -name __pycache__ -o -name .ipynb_checkpoints \) -prune -exec rm -rf {} +

preflight:
	@$(CHOSEN_PYTHON) -c "" >/dev/null 2>&1 || { \
	  echo "Python not found: '$(CHOSEN_PYTHON)' does not run; choose another (3.11 or newer) with: make $(firstword $(MAKECMDGOALS)) PYTHON=python3.12" >&2; \
	  exit 1; }
	@$(CHOSEN_PYTHON) $(CHECK) --goal "$(firstword $(MAKECMDGOALS))"

# The stamp goes first and comes back last, so an interrupted install is never taken for a complete
# one; what it left behind is cleared away by the next.
$(STAMP): pyproject.toml constraints.txt | preflight
	@if [ "$$(cat $(STAMP) 2>/dev/null)" = "$(STAMP_TEXT)" ]; then \
	  echo "== environment: bringing $(VENV) up to date"; rm -f $(STAMP); \
	else \
	  echo "== environment: creating $(VENV) and installing into it (a few minutes)"; rm -f $(STAMP); \
	  $(CHOSEN_PYTHON) $(CHECK) --watch $(CHOSEN_PYTHON) -m venv --clear $(VENV); \
	fi
	@$(WATCH) $(BIN)/python -m pip install --quiet --progress-bar off \
	  --constraint constraints.txt --editable ".[data,anndata,dask,devices,book,test,dev]"
	@echo "$(STAMP_TEXT)" > $(STAMP)
