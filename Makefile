# The one menu. Everything that is built or fetched goes below target/.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

CARGO ?= cargo
TARGET := $(or $(CARGO_TARGET_DIR),target)
CARGO_HOME ?= $(HOME)/.cargo
STATIC := $(TARGET)/static
# Named even if it is this machine's: proc macros are then not linked statically, which they cannot be.
STATIC_TARGET := $(shell uname -m)-unknown-linux-gnu
# Random numbers from the kernel itself: a static program does not find the C library's function for
# it, and would read /dev/urandom, which an empty root does not have.
# Where it was built is nobody's business, and would make two builds differ.
STATIC_FLAGS := -C target-feature=+crt-static --cfg getrandom_backend="linux_getrandom" \
	--remap-path-prefix=$(CARGO_HOME)=/cargo \
	--remap-path-prefix=$(abspath $(TARGET))=/target \
	--remap-path-prefix=$(CURDIR)=/obspipe
TOOLS := target/tools
DENY := $(TOOLS)/bin/cargo-deny
FUZZ := $(TOOLS)/bin/cargo-fuzz
FUZZ_DIR := src/collector/fuzz
FUZZ_SECONDS ?= 60
CRATES := obspipe-model obspipe-operator obspipe-collector obspipe-image local-cluster obspipe-e2e obspipe-demo obspipe-tests obspipe-backends obspipe-bench

.PHONY: help
help: ## Show this menu
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: check-rust check-go
check-rust:
	@command -v $(CARGO) >/dev/null || { echo "error: cargo is missing: install Rust with rustup (https://rustup.rs), then run this again" >&2; exit 1; }
	@command -v cc >/dev/null || { echo "error: a C compiler and linker (cc) is missing: apt-get install gcc" >&2; exit 1; }
check-go:
	@command -v go >/dev/null || { echo "error: go is missing (1.25 or newer builds the test cluster): install the package golang or https://go.dev/dl, then run this again" >&2; exit 1; }

# What `make demo` ends with: 1, the alert fires; 0, it is pending.
WAIT ?= 1

# The images are built only where there can be a node to run them.
.PHONY: demo
demo: check-rust check-go ## The whole picture on a real node: chart, application, backends, an alert
	$(CARGO) build -p obspipe-operator -p obspipe-demo
	@if $(CARGO) run --quiet -p obspipe-demo -- node; then $(MAKE) --no-print-directory image; fi
	@$(CARGO) run --quiet -p obspipe-demo -- up --wait=$(WAIT) $(DEMO)

.PHONY: demo-down
demo-down: check-rust ## End what `make demo` left up
	@$(CARGO) run --quiet -p obspipe-demo -- down

# Names of scenarios, and what else their harness takes.
E2E ?=

.PHONY: e2e
e2e: check-rust check-go image ## Scenarios on a real node, as root: about a quarter of an hour
	$(CARGO) test -p local-cluster --test node
	$(CARGO) test -p obspipe-e2e --test scenarios -- $(E2E)

.PHONY: test
test: check-rust check-go ## All tests, against a real control plane
	$(CARGO) build -p obspipe-operator -p obspipe-collector
	@# First, and by itself: the tests of it would build it beside others that need the time.
	$(MAKE) --no-print-directory static
	$(CARGO) test --workspace

.PHONY: lint
lint: check-rust $(DENY) ## Formatting, clippy, each crate alone, licences and duplicate versions
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets -- -D warnings
	@for crate in $(CRATES); do echo "cargo check -p $$crate"; $(CARGO) check --quiet -p $$crate; done
	$(DENY) --log-level warn check licenses bans sources

$(DENY):
	$(CARGO) install --quiet --locked --root $(TOOLS) --target-dir target/tools-build cargo-deny

.PHONY: static
static: check-rust static-obspipe-collector static-obspipe-operator ## Build both programs as one file each that needs no other: target/static

.PHONY: static-obspipe-collector static-obspipe-operator
static-obspipe-collector static-obspipe-operator: static-%: check-rust
	RUSTFLAGS='$(STATIC_FLAGS)' $(CARGO) build --quiet --release -p $* --target $(STATIC_TARGET)
	@mkdir -p $(STATIC)
	@strip -o $(STATIC)/$* $(TARGET)/$(STATIC_TARGET)/release/$*
	@# Beside it with its symbols, for who reads a backtrace.
	@cp $(TARGET)/$(STATIC_TARGET)/release/$* $(STATIC)/$*.symbols
	@stat --format='%n: %s bytes' $(STATIC)/$*

.PHONY: golden
golden: check-rust ## Rewrite tests/golden/*/out.yaml and the tables in docs/ from the code as it is
	OBSPIPE_UPDATE=1 $(CARGO) test -p obspipe-tests --test integration -- golden::

.PHONY: crds
crds: check-rust ## Rewrite crds/ and the chart's copy from the types
	OBSPIPE_UPDATE=1 $(CARGO) test -p obspipe-tests --test integration -- crds

# Options of `throughput`, such as --only spans-grpc.
THROUGHPUT ?=

.PHONY: bench
bench: check-rust check-go ## Measure convergence and throughput, write docs/performance.md
	$(CARGO) build --release -p obspipe-operator -p obspipe-collector -p obspipe-bench
	@$(CARGO) run --quiet --release -p obspipe-bench --bin converge
	@$(CARGO) run --quiet --release -p obspipe-bench --bin throughput -- $(THROUGHPUT)

.PHONY: fuzz-quick
fuzz-quick: check-rust ## The same targets without libFuzzer, on any Rust, as CI does
	OBSPIPE_FUZZ_SECONDS=$(FUZZ_SECONDS) $(CARGO) test --workspace --lib -- fuzz::tests::by_chance

.PHONY: fuzz
fuzz: check-rust $(FUZZ) ## Fuzz what the collector reads, FUZZ_SECONDS for each target
	@for target in $$(ls $(FUZZ_DIR)/corpus); do \
		mkdir -p target/fuzz-corpus/$$target; \
		PATH="$(CURDIR)/$(TOOLS)/bin:$$PATH" $(CARGO) fuzz run -s none --fuzz-dir $(FUZZ_DIR) \
			--target-dir target/fuzz $$target target/fuzz-corpus/$$target $(FUZZ_DIR)/corpus/$$target \
			-- -max_total_time=$(FUZZ_SECONDS); \
	done

$(FUZZ):
	$(CARGO) install --quiet --locked --root $(TOOLS) --target-dir target/tools-build cargo-fuzz
