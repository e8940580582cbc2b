# `make help` lists the targets. Every one but help and clean first brings .venv up to date.

# A complete environment does not need the Python it came from, unless another one is asked for.
PYTHON ?= $(firstword $(patsubst %,.venv/bin/python,$(wildcard .venv/.installed-*)) python3)
# The sizes to run chapters in: a name (quick, paper) or a .yml file. PARAMETERS prevail over it.
PROFILE ?=
# "name=value ...", other values for the chapters' parameters
PARAMETERS ?=
# Only these chapters, such as CHAPTER=04_expression_rmse
CHAPTER ?=
# For `make address`: where the repository is published
REPOSITORY ?=
# For `make fetch`: a cohort's name; without one, those there are are listed
COHORT ?=

# Where the cohorts are kept between runs; without make it is the user's cache folder.
export VAEIMPUTE_CACHE ?= $(CURDIR)/data/cache
# Threads that wait shall sleep, not spin: on a machine that others use as well, spinning made
# training four times slower.
export OMP_WAIT_POLICY ?= PASSIVE
# numpy's own threads spin whatever that says, and on matrices of some hundred rows they cost more
# than they save: imputing 42 samples by SVD took 0.2 s with one thread and 0.8 s or more with two.
export OPENBLAS_NUM_THREADS ?= 1
# The kernel "python3" must be the one in .venv, and nothing from outside may be imported there or
# choose its plotting window.
export JUPYTER_PREFER_ENV_PATH := 1
unexport PYTHONPATH MPLBACKEND

BIN := .venv/bin
# Its name stands for the folder and the Python that it holds for: an environment cannot be moved,
# and asking for another Python must not be answered with the old one.
VERSION := $(shell $(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)
STAMP := .venv/.installed-$(shell echo '$(CURDIR)' $(VERSION) | cksum | cut -d ' ' -f 1)
EXTRAS := data,anndata,report,dask,devices,book,test,dev
CHAPTERS := $(CHAPTER:%=notebooks/%.ipynb)
CHOSEN = $(foreach parameter,$(PARAMETERS),-p '$(subst =,' ',$(parameter))') \
  $(PROFILE:%=--profile '%')
# A file's tests share what is costly to make, and a notebook's cells need one another.
WORKERS := -n logical --maxprocesses 4 --dist loadfile

.NOTPARALLEL:
.PHONY: help book lab test address dist fetch notebooks bench lint constraints clean

help: ## list the targets
	@echo 'make TARGET [PYTHON=python3.12] [CHAPTER=...] [PARAMETERS="name=value ..."] [PROFILE=paper]'
	@sed -n 's/^\([a-z]*\):.*## /  \1:	/p' Makefile | expand -t 16

book: $(STAMP) ## execute the chapters that are not up to date, render the book to _build/html
	@echo "== book: executing the chapters"
	@$(BIN)/python book/run_chapters.py --output _build/source/notebooks $(CHOSEN) $(CHAPTERS)
	@echo "== book: rendering"
	@$(BIN)/python book/build_site.py

lab: $(STAMP) ## open the chapters in JupyterLab
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt \
	  --editable ".[lab]"
	@$(BIN)/jupyter lab --notebook-dir=notebooks

test: $(STAMP) ## run the tests, then every cell of the notebooks
	@echo "== test: pytest"
	@$(BIN)/python -m pytest $(WORKERS)
	@echo "== test: nbval, every cell of notebooks/"
	@$(BIN)/python -m pytest $(WORKERS) --nbval-lax $(or $(CHAPTERS),notebooks/)

address: $(STAMP) ## put the address of the repository into all that names it, before publishing
	@$(BIN)/python book/configure.py $(REPOSITORY)

dist: $(STAMP) ## build the release, a source distribution and a wheel, into _build/dist
	@$(BIN)/python -m hatchling build --directory _build/dist

fetch: $(STAMP) ## download and prepare a cohort for the chapters: make fetch COHORT=tcga-glioma
	@$(BIN)/vaeimpute fetch $(or $(COHORT),--list)

notebooks: $(STAMP) ## execute notebooks/ in place, ready to be committed with the README's figure
	@$(BIN)/python book/run_chapters.py $(CHAPTERS)
	@$(BIN)/python book/readme.py

# On a machine that does nothing else; BENCH_SIZE=small tries it out. Peers get environments in _build.
bench: $(STAMP) ## measure time and memory beside the peers, into results/benchmarks (half an hour)
	@$(BIN)/python benchmarks/imputation_speed.py
	@$(BIN)/python benchmarks/parts.py
	@$(BIN)/python book/readme.py

lint: $(STAMP) ## check style, formatting and types
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy

# torch moves only by hand (edit its line first): other versions of it may pull gigabytes.
constraints: ## resolve the newest versions afresh and write constraints.txt
	@$(PYTHON) -m venv --clear _build/resolve
	@grep '^torch==' constraints.txt > _build/torch.txt
	@_build/resolve/bin/python -m pip install --quiet --constraint _build/torch.txt ".[$(EXTRAS),lab]"
	@{ grep '^#' constraints.txt; _build/resolve/bin/python -m pip freeze --exclude vaeimpute \
	  | sed 's/+cpu$$//'; } > _build/constraints.txt
	@mv _build/constraints.txt constraints.txt
	@echo "constraints.txt written; now make lint test book"

clean: ## remove .venv, _build and caches; data/cache stays
	@rm -rf .venv _build .pytest_cache .mypy_cache .ruff_cache .hypothesis
	@find . -name __pycache__ -prune -exec rm -rf {} +

# The stamp goes first and comes back last, so an interrupted install is never taken for a complete
# one; what it left behind is cleared away by the next.
$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo \
	  "Python 3.11 or newer is needed; choose it with: make $(MAKECMDGOALS) PYTHON=python3.12" >&2; exit 1; }
	@echo "== environment: installing into .venv (a few minutes if it is new)"
	@test -e $@ || $(PYTHON) -m venv --clear .venv
	@rm -f $@
	@$(BIN)/python -m pip install --quiet --progress-bar off --disable-pip-version-check \
	  --constraint constraints.txt --editable ".[$(EXTRAS)]"
	@touch $@
