# The work on claude-reactor, one target a task. `make help` lists them.

CARGO ?= cargo
# What `make run` hands on: make run ARGS="--llm-provider zai"
ARGS ?=
# What the tests' own harness gets: make test TEST_ARGS="--test-threads=2"
TEST_ARGS ?=
# Below which `make install` puts everything: /usr/local for root and ~/.local for anybody else where it is empty.
PREFIX ?=

.DEFAULT_GOAL := help
.PHONY: help setup toolchain run build release engine engine-podman base-image base-image-podman test test-unit test-engine test-images test-engine-podman test-engine-rootless test-install bench bench-podman lint fmt docs docs-generated deny check doctor demo onboarding captures install uninstall clean

help: ## List the targets
	@awk 'BEGIN { FS = ":.*## " } /^[a-z%-]+:.*## / { sub(/%/, "VARIANT", $$1); printf "  %-22s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: toolchain engine base-image ## Make sure of all that is needed: Rust toolchain, container engine, Debian's image

toolchain:
	@scripts/toolchain.sh

run: engine base-image build ## Start a session in this folder, from nothing: engine, image, program (ARGS="...")
	@target/release/claude-reactor run $(ARGS)

build: ## Build the program: target/release/claude-reactor
	$(CARGO) build --release --locked

release: ## Make the archive to hand out, static with musl, with checksums, manual, completions: target/dist
	@scripts/release.sh

engine: ## Make sure that a container engine answers; Debian and Ubuntu get one installed where none does
	@scripts/engine.sh

engine-podman: ## Make sure that Podman answers as well; Debian and Ubuntu get it installed
	@scripts/engine.sh podman >/dev/null

base-image: engine ## Make sure that debian:trixie-slim is there: pulled, or made from Debian's packages
	@scripts/base-image.sh

base-image-podman: engine-podman
	@scripts/base-image.sh podman

image-%: base-image build ## Build a variant's image: image-base, image-go, image-full, image-cloud, image-k8s
	target/release/claude-reactor build $*

# In CI both engines are part of what is tested; elsewhere a machine may have to do without Podman.
test: engine base-image ## Run all tests, on Docker and on Podman (TEST_ARGS="...")
	$(CARGO) test --locked -- $(TEST_ARGS)
	@scripts/test-install.sh target/debug/claude-reactor
	@if scripts/engine.sh podman >/dev/null; then $(MAKE) --no-print-directory test-engine-podman; \
	elif [ "$$CI" = true ]; then exit 1; \
	else echo "the tests did not run on Podman" >&2; fi

test-unit: ## Run the tests that need no engine
	$(CARGO) test --locked --lib --test cli -- $(TEST_ARGS)

test-engine: engine base-image ## Run the tests on the engine only
	$(CARGO) test --locked --test engine -- $(TEST_ARGS)

test-images: engine base-image ## Build every image and ask each tool for its version; takes half an hour and 5 GB
	CLAUDE_REACTOR_TEST_IMAGES=all $(CARGO) test --locked --test engine -- images::variants $(TEST_ARGS)

test-engine-podman: base-image-podman ## Run the tests on the engine on Podman
	DOCKER_HOST="$$(scripts/engine.sh podman)" $(CARGO) test --locked --test engine -- $(TEST_ARGS)

test-engine-rootless: ## Run a few of them on rootless Podman and Docker, as a user made for it (needs root)
	CLAUDE_REACTOR_TEST_ROOTLESS="$$(scripts/rootless.sh)" $(CARGO) test --locked --test engine -- rootless:: $(TEST_ARGS)

bench: engine base-image ## Measure start-up against the engine's own client: Docker's, and Podman's where there is Podman
	$(CARGO) bench --locked --bench launch
	@if scripts/engine.sh podman >/dev/null; then $(MAKE) --no-print-directory bench-podman; \
	else echo "nothing was measured on Podman" >&2; fi

bench-podman: base-image-podman
	DOCKER_HOST="$$(scripts/engine.sh podman)" CLAUDE_REACTOR_BENCH_CLIENT=podman $(CARGO) bench --locked --bench launch

lint: ## Check the formatting, and what clippy has to say
	$(CARGO) fmt --check
	$(CARGO) clippy --locked --all-targets -- -D warnings

fmt: ## Format the code
	$(CARGO) fmt

docs: ## Build the API's documentation; a broken link is an error
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --locked --no-deps

docs-generated: ## Write anew what docs/ has from the code; `make test-unit` fails where that is stale
	UPDATE_DOCS=1 $(CARGO) test --locked --lib -- generated

deny: ## Check licences, known vulnerabilities and sources of the dependencies
	@if $(CARGO) deny --version >/dev/null 2>&1; then $(CARGO) deny --locked check; \
	else echo "cargo-deny is not installed, so the dependencies are not checked: cargo install --locked cargo-deny" >&2; fi

check: lint docs deny ## All that can be checked without running anything

test-install: ## Install into a folder made for it, and remove it again (needs a built program)
	@scripts/test-install.sh

doctor: build ## Check all that a session needs on this machine, and say what mends what is wrong
	target/release/claude-reactor doctor

demo: engine base-image build ## See it work without an account anywhere
	$(CARGO) build --release --locked --example fake_provider
	@scripts/demo.sh

onboarding: ## Measure the minutes from a clean clone in an empty container to a first answer
	@scripts/onboarding.sh

captures: build ## Make the pictures of the documentation anew
	$(CARGO) build --release --locked --example fake_provider
	@scripts/captures.sh

install: build ## Install program, manual and completions (PREFIX=/usr/local)
	@scripts/install.sh install "$(PREFIX)"

uninstall: ## Remove exactly what was installed (with the PREFIX it was installed to)
	@scripts/install.sh uninstall "$(PREFIX)"

clean: ## Remove what was built here; images and containers stay
	$(CARGO) clean
