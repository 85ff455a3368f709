# Everything a user types. `make help` lists it.
PYTHON ?= python3.11
VENV ?= .venv
BIN := $(VENV)/bin
# CPU training is bound by page faults: keep freed memory (halved a train step once).
export MALLOC_MMAP_THRESHOLD_ ?= 4294967296
export MALLOC_TRIM_THRESHOLD_ ?= 17179869184
export MALLOC_TOP_PAD_ ?= 268435456
# What `make demo` predicts on: any photo or folder.
SOURCE ?= data/demo_gaze/Columbia Gaze Data Set/0001/0001_2m_15P_0V_-10H.jpg

# A run folder of its own, gone on with if it was interrupted.
into = hydra.run.dir=runs/$(1) continue_run=true

.PHONY: help install demo test test-slow lint format bench clean

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

install: $(VENV)/.installed ## virtual environment with everything pinned

$(VENV)/.installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --upgrade pip
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@

demo: install ## invented people -> store -> FLAME and F-B -> table, figures, photo (15 minutes, 2 cores)
	$(BIN)/python preprocess.py data=demo_gaze
	$(BIN)/python train.py experiment=demo_gaze model=flame $(call into,demo/flame)
	$(BIN)/python train.py experiment=demo_gaze model=flame_b $(call into,demo/flame_b)
	$(BIN)/python predict.py run=runs/demo/flame source='$(SOURCE)'
	$(BIN)/python -m common.report runs/demo

test: install ## the tests (under 10 minutes on 2 cores)
	$(BIN)/pytest -m 'not slow'

test-slow: install ## the long tests too
	$(BIN)/pytest

lint: install ## ruff, mypy, import-linter, codespell
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/codespell README.md src tests conf benchmarks *.py

format: install ## ruff's formatting
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: install ## speed and size against the original
	$(BIN)/python benchmarks/bench_flame.py
	$(BIN)/python benchmarks/bench_loader.py
	$(BIN)/python benchmarks/bench_demo_people.py

clean: ## forget environment, demo data and runs
	rm -rf $(VENV) data runs
