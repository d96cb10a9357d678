# Every way Sanjiang is built, run and tested. The two for a newcomer: make demo, make test.
SHELL := /bin/bash
CHECKED := --explicit-target-dependency-import-check error
RELEASE := .build/release/sanjiang
DATA ?= var/demo
ROWS ?= 200000
PORT ?= 8080

.PHONY: demo test torture build release check format bench bench-engine bench-exchange bench-catalogue browser-test clean

demo: release
	@$(RELEASE) demo --data $(DATA) --rows $(ROWS) --port $(PORT)

release:
	@scripts/install-packages build
	@echo "Building the release binary (the first time takes some minutes) …"
	@swift build -c release --product sanjiang -q

build:
	@scripts/install-packages build
	swift build $(CHECKED)

test:
	@scripts/install-packages test
	@scripts/test

# A thousand crashes at random, with their seed: SEED=… RUNS=… make torture repeats their choices, RUN=… one of them;
# KIND=tables, messages or documents has one kind alone.
torture:
	@scripts/install-packages test
	@scripts/torture

browser-test:
	@scripts/browser-tests

check:
	@swift format lint --strict -r -p Package.swift Sources Tests
	@scripts/check-architecture
	@scripts/check-words

format:
	@swift format format -i -r -p Package.swift Sources Tests

bench: release
	@scripts/install-packages test
	@scripts/bench
	@scripts/bench-transfer

# The engine alone: delivering, and reading back, each by itself.
bench-engine:
	@scripts/install-packages test
	@scripts/bench-transfer

# The engine beside sling, pgloader, dlt and psql, which are fetched to var/peers: ROWS=5000000 RUNS=5 make bench-exchange
# (about two hours; SLOW_RUNS=1 measures those once who take more than three times as long as ours, and needs 50 minutes)
bench-exchange:
	@scripts/install-packages test
	@scripts/bench-exchange

# The catalogue at a million entries: search beside Tantivy, and pages; then writing to it.
bench-catalogue: release
	@scripts/install-packages test
	@scripts/bench-catalogue
	@scripts/bench-catalogue-writes

clean:
	rm -rf .build var
