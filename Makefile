# Seatrial, the short way in. CMake does the work (CMakePresets.json); this file only names it.
# On a bare Debian 12 with nothing but make: `make certify` installs what it needs and runs all of it.

JOBS ?= 2
SOURCES = $(wildcard cli scenarios replay reports chaos broker_sim core tests)
CACHE = $(if $(shell command -v ccache 2>/dev/null),-DCMAKE_C_COMPILER_LAUNCHER=ccache)

.PHONY: help deps certify test calm chaos exhaust mutants mutants-check mutants-matrix bench coverage format lint clean
.DEFAULT_GOAL := help

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-9s %s\n", $$1, $$2}' Makefile

deps: ## install what is missing (Debian 12 packages; apt-get only if something is)
	@sh .ci/deps

certify: deps ## build for release, run everything, write the report and the certificate
	@cmake --preset release $(CACHE)
	@cmake --build --preset release -j $(JOBS)
	@status=0; build/release/seatrial certify --out out/certify || status=$$?; \
	if [ -f out/certify/index.html ]; then \
		echo "report: $(CURDIR)/out/certify/index.html"; fi; \
	exit $$status

test: deps ## build with all warnings as errors, run every test and lint (or TESTS="-R name")
	@cmake --preset dev $(CACHE)
	@cmake --build --preset dev -j $(JOBS)
	@ctest --preset dev -j $(JOBS) $(TESTS)

calm: deps ## 200 quiet days of three seeds and the ETF month at shipped defaults: no trip, no alert; the stock month's trips (6 min)
	@cmake --preset release $(CACHE)
	@cmake --build --preset release -j $(JOBS)
	@sh tests/scenario/calm.sh build/release/seatrial

SEEDS ?= 1..500
MODE_SEEDS ?= 1..120
SHARE ?= 0/150
EXHAUSTED ?= scenarios/library
DEEP_SHARE ?= 0/16

chaos: deps ## sweep SEEDS in swarm, MODE_SEEDS in each other mode: out/chaos; fails on a finding
	@cmake --preset release $(CACHE)
	@cmake --build --preset release -j $(JOBS)
	@rm -rf out/chaos
	@for mode in calm heal storm directed; do \
		build/release/seatrial chaos --mode $$mode --seeds $(MODE_SEEDS) --jobs $(JOBS) \
			--out out/chaos/$$mode --junit out/chaos/$$mode/junit.xml || exit 1; done
	@build/release/seatrial chaos --seeds $(SEEDS) --jobs $(JOBS) --verify 2 \
		--out out/chaos/swarm --junit out/chaos/swarm/junit.xml

exhaust: deps ## die at a SHARE of the effects of each window of EXHAUSTED, with every fate; at a DEEP_SHARE inside recoveries too
	@cmake --preset release $(CACHE)
	@cmake --build --preset release -j $(JOBS)
	@build/release/seatrial exhaust $(EXHAUSTED) --shard $(SHARE) --jobs $(JOBS) \
		--out out/exhaust.json
	@build/release/seatrial exhaust tests/exhaust --depth 2 --first-tick --shard $(DEEP_SHARE) --jobs $(JOBS) \
		--out out/exhaust-deep.json

MUTANTS = build/mutants/seatrial_mutants --jobs $(JOBS)

build/mutants/build: deps
	@cmake -S . -B build/mutants -G Ninja -DSEATRIAL_MUTANTS=ON -DSEATRIAL_TESTS=OFF \
		-DSEATRIAL_WERROR=ON -DCMAKE_BUILD_TYPE=Release $(CACHE)
	@cmake --build build/mutants -j $(JOBS) --target seatrial_mutants seatrial
	@mkdir -p out

mutants: build/mutants/build ## each sabotage against killers, library, seeds 1..1000: out/mutants.ndjson
	@$(MUTANTS) --out out/mutants.ndjson

mutants-check: build/mutants/build ## each sabotage against its recorded killer alone
	@$(MUTANTS) --check --out out/mutants-check.ndjson
	@sh tests/mutants/slow.sh build/mutants/seatrial_mutants
	@sh tests/mutants/alone.sh out/mutants-check.ndjson
	@sh tests/mutants/drilled.sh build/mutants/seatrial
	@sh tests/mutants/missed.sh build/mutants/seatrial

mutants-matrix: build/mutants/build ## who is alone in killing whom: library and 20 seeds (an hour)
	@$(MUTANTS) --matrix --out out/mutants-matrix.ndjson

.PHONY: build/mutants/build
bench: deps ## session seconds per CPU second and microseconds per tick, as JSON
	@cmake --preset release $(CACHE)
	@cmake --build --preset release -j $(JOBS)
	@build/release/seatrial_bench

coverage: deps ## lines and branches of core/ that the tests reach; fails below 90 % and 80 %
	@cmake --preset coverage
	@cmake --build --preset coverage -j $(JOBS)
	@find build/coverage -name '*.gcda' -delete
	@ctest --preset coverage -j $(JOBS) -LE outside
	@mkdir -p out/coverage
	@gcovr --root . --object-directory build/coverage --filter 'core/' \
		--exclude-branches-by-pattern '.*CHECK\(.*' \
		--html-details out/coverage/index.html --print-summary \
		--fail-under-line 90 --fail-under-branch 80

format: deps ## put every source into the shape of .clang-format
	@find $(SOURCES) -name '*.[ch]' -exec clang-format-14 -i {} +

lint: deps ## layers, symbols, mutable statics, function length, money without floats, names
	@cmake --preset dev $(CACHE)
	@cmake --build --preset dev -j $(JOBS)
	@ctest --preset dev -j $(JOBS) -L lint

clean: ## remove build/ and out/
	@rm -rf build out
