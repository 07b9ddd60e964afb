# The door: `make run` and `make test` install what they need and do the rest. `make` alone lists what else there is.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

PORT ?= 6379
PAGE_PORT ?= 8379
# With the compiler's own thresholds the module is a quarter larger.
WASM_RUSTFLAGS ?= -C target-feature=+simd128 -C llvm-args=-inline-threshold=25 -C llvm-args=-inlinehint-threshold=60
WASM_BINDGEN_FLAGS ?= --target web
# Fresh memory is zero, and below the data there is only the stack. Without hints on alignment it compresses better.
WASM_OPT_FLAGS ?= -O3 --zero-filled-memory --low-memory-unused --dealign

cargo_target := $(or $(CARGO_TARGET_DIR),target)
server := $(cargo_target)/release/keyside-server
cargo_wasm := $(cargo_target)/wasm32-unknown-unknown/wasm/keyside.wasm
wasm := target/wasm/keyside_bg.wasm
# The lite module has no scripts. It is built in a folder of its own, since cargo would put both in the same place.
full_features := $(shell sed -n 's/^lua = .*/--features lua/p' Cargo.toml)
cargo_lite := $(cargo_target)/lite/wasm32-unknown-unknown/wasm/keyside.wasm
lite := target/wasm-lite/keyside_bg.wasm

export PATH := $(CURDIR)/target/tools/bin:$(CURDIR)/pkg/node_modules/.bin:$(PATH)
export CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS := $(WASM_RUSTFLAGS)
export CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER := wasm-bindgen-test-runner
export WASM_BINDGEN_TEST_TIMEOUT ?= 120
export WASM_BINDGEN_TEST_WEBDRIVER_JSON := $(CURDIR)/.ci/webdriver.json

.PHONY: help
help: ## Lists these targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1	\2/p' Makefile | expand -t 20

.PHONY: run
run: server www ## Runs the server on port 6379 and the page on port 8379 until Ctrl-C
	@PORT=$(PORT) PAGE_PORT=$(PAGE_PORT) SERVER=$(server) .ci/serve

# Each suite below is a target of its own; .ci/test runs them all, within bounded time, and adds up their counts.
.PHONY: test
test: ## Runs every test there is
	@.ci/test setup-test test-rust test-wasm-node test-wasm-browser test-package test-runtimes test-page test-clients

.PHONY: test-rust
test-rust: setup-test ## … Rust: units, transcripts against redis-server, simulation, server
	cargo test --features native --no-fail-fast

.PHONY: test-wasm-node
test-wasm-node: setup-test ## … wasm in Node
	cargo test --target wasm32-unknown-unknown --test wasm

.PHONY: test-wasm-browser
test-wasm-browser: setup-test ## … wasm in headless Chromium
	CHROMEDRIVER=chromedriver WASM_BINDGEN_USE_BROWSER=1 cargo test --target wasm32-unknown-unknown --test wasm

.PHONY: test-package
test-package: setup-test pkg ## … the npm package in Node
	node --test --test-reporter=spec --test-timeout=60000 pkg/test/*.test.js

.PHONY: test-runtimes
test-runtimes: setup-test pkg ## … the packed package in Node, Deno, Bun, Cloudflare's runtime, bundlers and Chromium
	@.ci/setup runtimes
	node --test --test-reporter=spec --test-timeout=60000 pkg/test/runtimes/*.test.js

.PHONY: matrix
matrix: ## The same, a line each
	@$(MAKE) test-runtimes 2>&1 | grep -E '^(✔|✖|ℹ (pass|fail))'

.PHONY: test-page
test-page: setup-test www ## … the page in headless Chromium
	node --test --test-reporter=spec --test-timeout=180000 www/test/*.test.js

.PHONY: test-clients
test-clients: setup-test server ## … the server through redis-py and ioredis
	@SERVER=$(server) .ci/smoke

.PHONY: oracle
oracle: setup-rust ## Asks a real redis-server whether the transcripts are true
	@.ci/setup redis
	cargo test --features native --test transcripts

.PHONY: sim
sim: setup-rust ## Runs the simulation
	cargo test --features native --test simulation -- --nocapture

.PHONY: differential
differential: setup-rust ## Puts a million random requests to redis-server and to keyside: make differential COUNT=… SEED=…
	@.ci/setup redis
	COUNT=$(or $(COUNT),1000000) cargo test --profile checked --features native --test differential -- --nocapture

.PHONY: crash
crash: setup-rust ## Kills servers while they write, and fails their disk: make crash ROUNDS=500
	ROUNDS=$(or $(ROUNDS),20) cargo test --release --features native --test crash -- --nocapture
	SEEDS=$(or $(SEEDS),2) cargo test --release --features native --bin keyside-server journal::

.PHONY: sentinel
sentinel: server ## Has Redis Sentinel fail a pair of servers over
	@.ci/setup redis
	tests/sentinel

.PHONY: container
container: server ## Does what the Dockerfile says, without a container engine (as root)
	KEYSIDE_SERVER=$(server) tests/container

.PHONY: miri
miri: setup-rust ## Runs the tests of all unsafe code under Miri
	@.ci/setup miri
	cargo +nightly miri test --lib data::containers

.PHONY: lint
lint: setup-rust ## Checks the formatting, and clippy natively, bare and for wasm
	cargo fmt --check
	cargo clippy --all-targets --features native -- -D warnings
	cargo clippy --lib --tests -- -D warnings
	cargo clippy --lib --test wasm --target wasm32-unknown-unknown -- -D warnings

.PHONY: update
update: setup-rust ## Rewrites the generated files
	UPDATE=1 cargo test --features native --test generated

.PHONY: bench
bench: server pkg ## Measures: the engine, the server beside redis-server, the package beside others in Node
	@.ci/setup redis
	cargo bench --bench engine
	python3 benches/server.py $(server)
	python3 benches/persistence.py $(server)
	python3 benches/eviction.py $(server)
	python3 benches/maxmemory.py $(server) --redis
	for bench in benches/*.mjs; do node --expose-gc "$$bench" || exit; done

.PHONY: bench-js
bench-js: pkg ## … the package alone: beside others in Node, and kept in Node and in Chromium
	for bench in benches/*.mjs; do node --expose-gc "$$bench" || exit; done

.PHONY: size
size: server pkg ## Shows what a user downloads, in bytes: raw, gzip, brotli
	@.ci/size $(server)

.PHONY: server
server: setup-rust ## Builds the server: target/release/keyside-server
	cargo build --release --features native --bin keyside-server

.PHONY: wasm
wasm: $(wasm) $(lite) ## Builds the modules and their glue: target/wasm, and without scripts target/wasm-lite

.PHONY: pkg
pkg: $(wasm) $(lite) ## Builds the npm package: pkg/dist
	@rm -rf pkg/dist && mkdir -p pkg/dist/lite
	@cp $(wasm) pkg/dist/keyside.wasm
	@cp $(lite) pkg/dist/lite/keyside.wasm
	npm run --silent --prefix pkg build

.PHONY: pack
pack: pkg ## Packs the npm package: target/npm/keyside.tgz
	@mkdir -p target/npm
	@cd pkg && npm pack --silent --pack-destination ../target/npm >/dev/null
	@mv target/npm/keyside-*.tgz target/npm/keyside.tgz && ls -l target/npm/keyside.tgz

.PHONY: www
www: pkg ## Builds the page: target/www
	@node www/build.js

.PHONY: clean
clean: ## Removes everything built; the tools in ~/.cache/keyside stay
	rm -rf $(cargo_target) target pkg/dist pkg/node_modules www/node_modules node_modules

.PHONY: setup-rust setup-wasm setup-test
setup-rust:
	@.ci/setup rust
setup-wasm:
	@.ci/setup rust wasm-bindgen node
setup-test:
	@.ci/setup rust wasm-bindgen node chromium redis redis-py

# cargo knows what changed; what comes after it runs only when its output did.
$(wasm): $(cargo_wasm)
	wasm-bindgen $(WASM_BINDGEN_FLAGS) --remove-producers-section --out-dir target/wasm $<
	wasm-opt $(WASM_OPT_FLAGS) $@ -o $@

.PHONY: always
$(cargo_wasm): always setup-wasm
	cargo build --profile wasm --lib --target wasm32-unknown-unknown $(full_features)

ifeq ($(full_features),)
$(lite): $(wasm)
	@mkdir -p $(@D) && cp $< $@
else
$(lite): $(cargo_lite)
	wasm-bindgen $(WASM_BINDGEN_FLAGS) --remove-producers-section --out-dir target/wasm-lite $<
	wasm-opt $(WASM_OPT_FLAGS) $@ -o $@

$(cargo_lite): always setup-wasm
	cargo build --profile wasm --lib --target wasm32-unknown-unknown --target-dir $(cargo_target)/lite
endif
