# `make run` and `make test` set everything up. ENV selects the environment: make run ENV=full.
ENV ?= mini
PYTHON ?= python3
SIZES ?= mini 1GB
SIZE ?= 1GB
BIN := .venv/bin
# The log's path as Kedro reads it, once .venv exists. `quote` escapes a path for the shell.
LOG = $(shell $(BIN)/python -c 'from kedro.config import OmegaConfigLoader; \
	print(OmegaConfigLoader("conf", env="$(ENV)", base_env="base")["globals"]["raw_log"])' 2>/dev/null)
quote = '$(subst ','\'',$(1))'

.DEFAULT_GOAL := help
.PHONY: help run daily score report test presets check lint types viz site picture dictionary notebook notebook-md bench chaos determinism incremental refresh cluster growth wheel try-wheel audit sbom lock

help: ## List the commands; ENV=full runs them on the large log.
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

# Only mini and full read a simulated log.
run: .venv/ready ## Run the default pipeline, from the log to the report; mini and full simulate a missing log.
	@log=$(call quote,$(LOG)); test -e "$$log" || test -e "$$log.gz" || test -e "$$log.bz2" \
		|| case "$(ENV)" in mini|full) $(BIN)/kedro run --env $(ENV) --pipelines simulation ;; esac
	$(BIN)/kedro run --env $(ENV)

# A short run gains nothing from Java's second compiler.
daily: .venv/ready ## Read new files of the log, score, monitor and report, without training.
	JDK_JAVA_OPTIONS=-XX:TieredStopAtLevel=1 $(BIN)/kedro run --env $(ENV) --pipelines daily --runner ThreadRunner

score: .venv/ready ## Score the newest customers with the current champion, and write the report.
	$(BIN)/kedro run --env $(ENV) --pipelines scoring,reporting

report: .venv/ready ## Write the report anew from saved results.
	$(BIN)/kedro run --env $(ENV) --pipelines reporting

test: .venv/ready ## Run the tests on two cores, with coverage.
	$(BIN)/python -m pytest -n 2 --dist loadfile --durations=20 --cov --cov-report=term

presets: .venv/ready ## Run every preset of conf/examples to its report, on logs that the tests write; five minutes.
	$(BIN)/python -m pytest -n 2 -m presets tests/test_presets.py

check: lint types test ## Lint, check types and run the tests.

lint: .venv/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	PYTHONPATH=src $(BIN)/lint-imports --cache-dir .cache/imports

types: .venv/ready
	$(BIN)/mypy

viz: .venv/ready ## Open the pipelines in Kedro-Viz.
	$(BIN)/kedro viz run --env $(ENV) --host 127.0.0.1

site: .venv/ready ## Write the Kedro-Viz pages as a static site to build/site, with previews (and their personal data).
	PYTHONPATH=src $(BIN)/python -m docs.lineage_site --env $(ENV)

picture: site ## Save the picture of the pipelines for docs (needs Chromium).
	$(BIN)/python -m docs.picture

dictionary: .venv/ready ## Write docs/data.md, the data dictionary, from the schemas and the catalog.
	PYTHONPATH=src $(BIN)/python -m docs.data_dictionary

notebook: .venv/ready ## Open the notebook in JupyterLab, which the first call adds to .venv.
	@test -x $(BIN)/jupyter-lab || { $(BIN)/pip install --quiet uv && \
		$(BIN)/uv pip install --quiet --constraint requirements.txt --group notebook; }
	KEDRO_ENV=$(ENV) $(BIN)/jupyter lab notebooks/Sparkify.ipynb

notebook-md: .venv/ready ## Run the notebook after `make run`, and write docs/notebook.md with its pictures.
	$(BIN)/python -m docs.notebook_page

bench: .venv/ready ## Measure this project and its peers (SIZES="mini 1GB"); about half an hour.
	PYTHONPATH=src $(BIN)/python -m benchmarks.speed --sizes $(SIZES)

chaos: .venv/ready ## Kill runs, fill disks, deny access, lose workers, and compare the results; under 20 minutes.
	PYTHONPATH=src $(BIN)/python -m benchmarks.chaos

incremental: .venv/ready ## Compare runs after changes of the log with runs from scratch: 200 sequences of changes.
	SPARKIFY_SEQUENCES=200 SPARKIFY_RUN_SEQUENCES=10 $(BIN)/python -m pytest -n 2 --dist load -v tests/test_incremental.py

refresh: .venv/ready ## Measure a run after a new day, and sixty days one by one (SIZE=1GB; 12GB takes hours).
	PYTHONPATH=src $(BIN)/python -m benchmarks.refresh --size $(SIZE)

determinism: .venv/ready ## Compare runs on other cores, partitions and files, value by value; about ten minutes.
	PYTHONPATH=src $(BIN)/python -m benchmarks.determinism

cluster: .venv/ready ## Run on a Spark cluster on this machine, and kill workers; about ten minutes.
	PYTHONPATH=src $(BIN)/python -m benchmarks.cluster

growth: .venv/ready ## Measure the driver's memory for 22,000 to 1,000,000 customers on a Spark cluster; hours.
	PYTHONPATH=src $(BIN)/python -m benchmarks.growth

# Kedro makes a wheel and conf-sparkify.tar.gz. Spark ships the wheel to its workers as a zip.
wheel: .venv/ready ## Package the project and its settings in dist/.
	@rm -rf build/lib dist
	$(BIN)/kedro package
	@cp dist/sparkify-*.whl dist/sparkify.zip

# Run outside the project: Kedro would find its sources from any subfolder.
try-wheel: wheel ## Install the wheel in a fresh environment and run it in an empty folder.
	set -e; dist="$$PWD/dist"; lock="$$PWD/requirements.txt"; there="$$(mktemp -d)"; trap 'rm -rf "$$there"' EXIT; \
	$(PYTHON) -m venv "$$there/venv"; mkdir "$$there/empty"; cd "$$there/empty"; unset PYTHONPATH; \
	../venv/bin/pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r "$$lock"; \
	../venv/bin/pip install --quiet --disable-pip-version-check --no-deps "$$dist"/sparkify-*.whl; \
	for pipeline in simulation __default__; do \
		../venv/bin/python -m sparkify --env mini --conf-source "$$dist/conf-sparkify.tar.gz" --pipelines $$pipeline; \
	done; find data -maxdepth 3 -name '*.json'

# pip-audit fails on a vulnerability and on an unreachable list; only the first writes a table.
# It skips packages that the list does not contain.
audit: .venv/ready ## Check the locked packages for known vulnerabilities, if the list can be reached.
	@mkdir -p build && rm -f build/audit.txt && $(BIN)/pip-audit --version
	@$(BIN)/pip-audit --requirement requirements.txt --require-hashes --disable-pip --timeout 15 \
		--progress-spinner off --output build/audit.txt \
		|| test ! -s build/audit.txt || { cat build/audit.txt; exit 1; }
	@test -e build/audit.txt || echo "The list cannot be reached: nothing was audited." | tee build/audit.txt
	@awk '/could not be audited/ { n++ } END { if (n) print n " packages were not checked: the list does not contain them." }' build/audit.txt

sbom: .venv/ready ## Write the software bill of materials (CycloneDX) to build/sbom.json.
	@mkdir -p build
	$(BIN)/cyclonedx-py environment --pyproject pyproject.toml --output-reproducible \
		--output-file build/sbom.json $(BIN)/python

lock: .venv/ready ## Pin the newest versions that pyproject.toml allows.
	$(BIN)/pip install --quiet uv
	$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--group dev --group bench --custom-compile-command "make lock" --output-file requirements.txt pyproject.toml

# The lock is complete. Without --no-deps, pip would consider newer versions, which have no hashes.
# The environment is ready once the lock is installed and Spark's classes are archived, which
# saves several seconds at every start of Spark.
.venv/ready: requirements.txt
	@PYTHONPATH=src $(PYTHON) -m sparkify.spark.java_check
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.txt
	PYTHONPATH=src $(BIN)/python -m sparkify.spark.jvm_options
	@touch $@
