# Everything a user types. `make help` lists it.
# The first of these that is there; 3.11 and 3.12 first: MediaPipe's release for them needs no network.
# Another is typed as PYTHON=python3.13, and has an environment of its own: .venv-python3.13.
PYTHON ?= $(firstword $(foreach python,python3.11 python3.12 python3.13 python3,$(wildcard $(addsuffix /$(python),$(subst :, ,$(PATH))))) python3)
VENV ?= .venv$(if $(filter file,$(origin PYTHON)),,-$(notdir $(PYTHON)))
BIN := $(VENV)/bin
# CPU training is bound by page faults: keep freed memory (halved a train step once).
export MALLOC_MMAP_THRESHOLD_ ?= 4294967296
export MALLOC_TRIM_THRESHOLD_ ?= 17179869184
export MALLOC_TOP_PAD_ ?= 268435456
# Threads that wait without spinning: beside another busy process spinning ones cost many times.
export OMP_WAIT_POLICY ?= PASSIVE
# Processes that test at once, files as a whole: fixtures are a file's.
JOBS ?= $(shell getconf _NPROCESSORS_ONLN)
# What `make demo` predicts on, by default a person of its test part: any photo, folder or pattern.
SOURCE ?= data/demo_gaze/Columbia Gaze Data Set/0002/0002_2m_*P_10V_15H.jpg

# A run folder of its own, gone on with if it was interrupted.
into = hydra.run.dir=runs/$(1) continue_run=true

.PHONY: help install demo demo-gaze demo-lam first-model test test-slow fuzz kill lint format bench clean

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

install: $(VENV)/.installed ## virtual environment with everything pinned

$(VENV)/.installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --upgrade pip
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@

demo: demo-gaze demo-lam ## both lines on invented people, from raw data to tables and pictures (2 cores: 12 minutes, older ones 32)

demo-gaze: install ## invented people -> store -> FLAME -> table, figures, photo
	$(BIN)/python preprocess.py data=demo_gaze
	$(BIN)/python train.py experiment=demo_gaze model=flame $(call into,demo/flame)
	$(BIN)/python predict.py run=runs/demo/flame source='$(SOURCE)'
	$(BIN)/python -m common.report runs/demo

demo-lam: install ## invented people in clips -> store -> GazeLSTM and GazePose -> tables, submission, video
	$(BIN)/python preprocess.py data=demo_gaze360
	$(BIN)/python preprocess.py data=demo_lam
	$(BIN)/python train.py experiment=demo_gaze360 $(call into,demo/gaze360)
	$(BIN)/python train.py experiment=demo_lam model=gazelstm $(call into,demo/gazelstm)
	$(BIN)/python train.py experiment=demo_lam model=gazepose $(call into,demo/gazepose)
	$(BIN)/python predict.py run=runs/demo/gazepose split=test
	$(BIN)/python predict.py run=runs/demo/gazepose source="$$(ls data/demo_lam/v2/clips/*.mp4 | head -1)"
	$(BIN)/python -m common.report runs/demo

first-model: install ## nets for real people from invented ones, as run=first and run=first_contact (2 cores: see docs/first_model.md)
	$(BIN)/python preprocess.py data=first_gaze
	$(BIN)/python train.py experiment=first_gaze model=flame $(call into,first)
	$(BIN)/python preprocess.py data=first_gaze360
	$(BIN)/python train.py experiment=first_gaze360 $(call into,first_gaze360)
	$(BIN)/python preprocess.py data=first_lam
	$(BIN)/python train.py experiment=first_contact model=gaze_cone $(call into,first_contact)

test: install ## the tests (6 minutes on 2 cores)
	$(BIN)/pytest -m 'not slow' -n $(JOBS) --dist loadfile

test-slow: install ## the long tests too
	$(BIN)/pytest -n $(JOBS) --dist loadfile

fuzz: install ## mutated inputs for every reader; FUZZ='--inputs 5000 --seed 1 --jobs 4'
	cd tests && ../$(BIN)/python -m fuzz $(FUZZ)

kill: install ## commands killed at random moments and typed again; KILL='--number 40 --seed 1 --only train'
	cd tests && ../$(BIN)/python -m kills $(KILL)

lint: install ## ruff, mypy, import-linter, codespell
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/codespell README.md docs src tests conf benchmarks *.py

format: install ## ruff's formatting
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: install ## speed and size against the original
	$(BIN)/python preprocess.py data=demo_gaze
	$(BIN)/python benchmarks/bench_flame.py
	$(BIN)/python benchmarks/bench_loader.py
	$(BIN)/python benchmarks/bench_demo_people.py
	$(BIN)/python preprocess.py data=demo_lam
	$(BIN)/python benchmarks/bench_preprocess.py
	$(BIN)/python benchmarks/bench_lam_loader.py
	$(BIN)/python benchmarks/lam_memory.py
	OMP_NUM_THREADS=1 $(BIN)/python benchmarks/bench_lam_nets.py --num-frames 300 --num-clips 30

clean: ## forget environment, demo data and runs
	rm -rf $(VENV) data runs
