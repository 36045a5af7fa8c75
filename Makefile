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
# Where the sources of libraries lie would make the builds of two people differ; cargo names our
# own by their path in the workspace. An incremental build would be another again.
STATIC_FLAGS := -C target-feature=+crt-static --cfg getrandom_backend="linux_getrandom" \
	--remap-path-prefix=$(CARGO_HOME)=/cargo
STATIC_ARCHITECTURE := $(if $(filter aarch64-%,$(STATIC_TARGET)),arm64,amd64)
PROGRAMS := obspipe-operator obspipe-collector

# Images are named <prefix>operator and <prefix>collector, as the chart names them; docker is what
# every engine loads, oci an image layout.
IMAGES := $(TARGET)/images
IMAGE_PREFIX ?= obspipe/
IMAGE_FORMAT ?= docker
SBOM := $(TARGET)/sbom
VERSION := $(shell sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml)
REVISION := $(shell git describe --always --abbrev=40 --dirty --exclude '*' 2>/dev/null)
# An image is as old as its sources, so that the same sources give the same image.
SOURCE_DATE_EPOCH ?= $(or $(shell git log -1 --format=%ct 2>/dev/null),0)
ABOUT_operator := Turns ObservabilityPipeline objects into collectors, rules and dashboards
ABOUT_collector := Runs OpenTelemetry Collector configuration
PORTS_operator := 8080
PORTS_collector := 4317 4318

TOOLS := target/tools
DENY := $(TOOLS)/bin/cargo-deny
FUZZ := $(TOOLS)/bin/cargo-fuzz
CYCLONEDX := $(TOOLS)/bin/cargo-cyclonedx
FUZZ_DIR := src/collector/fuzz
FUZZ_SECONDS ?= 60
CRATES := obspipe-model obspipe-operator obspipe-collector obspipe-image local-cluster obspipe-e2e obspipe-demo obspipe-tests obspipe-backends obspipe-bench

.PHONY: help
help: ## Show this menu
	@awk -F':.*## ' '/^[a-z0-9-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

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
static: $(PROGRAMS:%=static-%) ## Build both programs as one file each that needs no other: target/static

.PHONY: $(PROGRAMS:%=static-%)
$(PROGRAMS:%=static-%): static-%: check-rust
	CARGO_INCREMENTAL=0 RUSTFLAGS='$(STATIC_FLAGS)' $(CARGO) build --quiet --release -p $* --target $(STATIC_TARGET)
	@mkdir -p $(STATIC)/$(STATIC_ARCHITECTURE)
	@strip -o $(STATIC)/$* $(TARGET)/$(STATIC_TARGET)/release/$*
	@# Beside it with its symbols, for who reads a backtrace.
	@cp $(TARGET)/$(STATIC_TARGET)/release/$* $(STATIC)/$*.symbols
	@# Where config/image/Dockerfile looks for it.
	@ln -f $(STATIC)/$* $(STATIC)/$(STATIC_ARCHITECTURE)/$*
	@stat --format='%n: %s bytes' $(STATIC)/$*

.PHONY: image
image: $(PROGRAMS:%=image-%) ## Write both images and their bills of materials: target/images

.PHONY: $(PROGRAMS:%=image-%)
$(PROGRAMS:%=image-%): image-obspipe-%: static-obspipe-% $(IMAGES)/obspipe-%.cdx.json
	@SOURCE_DATE_EPOCH=$(SOURCE_DATE_EPOCH) $(CARGO) run --quiet -p obspipe-image -- \
		--program $(STATIC)/obspipe-$* --name $(IMAGE_PREFIX)$*:$(VERSION) \
		--format $(IMAGE_FORMAT) --output $(IMAGES)/obspipe-$*.tar \
		$(PORTS_$*:%=--port %) \
		--label org.opencontainers.image.title=obspipe-$* \
		--label org.opencontainers.image.description='$(ABOUT_$*)' \
		--label org.opencontainers.image.version=$(VERSION) \
		--label org.opencontainers.image.licenses=Apache-2.0 \
		$(addprefix --label org.opencontainers.image.revision=,$(REVISION))

# The tool writes beside every crate of the workspace, and the workspace's path into what it
# writes: it gets a copy.
.PHONY: $(PROGRAMS:%=$(IMAGES)/%.cdx.json)
$(PROGRAMS:%=$(IMAGES)/%.cdx.json): $(IMAGES)/obspipe-%.cdx.json: check-rust $(CYCLONEDX)
	@rm -rf $(SBOM)/$* && mkdir -p $(SBOM)/$* $(IMAGES)
	@cp -R Cargo.toml Cargo.lock rust-toolchain.toml src tests e2e $(SBOM)/$*
	@SOURCE_DATE_EPOCH=$(SOURCE_DATE_EPOCH) $(CYCLONEDX) cyclonedx -qq \
		--manifest-path $(SBOM)/$*/src/$*/Cargo.toml --target $(STATIC_TARGET) --no-build-deps \
		--format json --spec-version 1.5 --describe binaries
	@sed 's|path+file://$(abspath $(SBOM)/$*)|path+file://|' \
		$(SBOM)/$*/src/$*/obspipe-$*_bin.cdx.json >$@
	@rm -rf $(SBOM)/$*

$(CYCLONEDX):
	$(CARGO) install --quiet --locked --root $(TOOLS) --target-dir target/tools-build cargo-cyclonedx

# Takes two release builds of everything. PROGRAMS=obspipe-collector checks one program.
.PHONY: image-check
image-check: check-rust $(CYCLONEDX) ## Build the images in two other directories and compare every byte
	@for copy in one another-place; do \
		rm -rf $(TARGET)/reproduce/$$copy && mkdir -p $(TARGET)/reproduce/$$copy; \
		tar --exclude=./target --exclude=./.git -c . | tar -x -C $(TARGET)/reproduce/$$copy; \
		env -u CARGO_TARGET_DIR $(MAKE) --no-print-directory -C $(TARGET)/reproduce/$$copy image \
			TOOLS=$(abspath $(TOOLS)) REVISION=$(REVISION) SOURCE_DATE_EPOCH=$(SOURCE_DATE_EPOCH); \
	done
	diff -r $(TARGET)/reproduce/one/target/images $(TARGET)/reproduce/another-place/target/images
	@rm -rf $(TARGET)/reproduce

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
