# Every command of the project. `make` alone lists them.

.DEFAULT_GOAL := help
.PHONY: help dev prod services test lint check-format clippy docs format bench nightly

CARGO ?= cargo

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

dev: ## Run the playground, a service to try everything by hand, on 127.0.0.1:8000
	$(CARGO) run --example playground

prod: ## Run the playground, optimised
	$(CARGO) run --release --example playground

services: ## Install what tests need besides Rust: the programs of PostgreSQL, from Debian or Ubuntu
	@if ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || command -v initdb >/dev/null 2>&1 \
	|| [ -n "$$DDD_TEST_POSTGRES_URL" ]; then exit 0; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then \
	apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends postgresql; \
	else echo "PostgreSQL is missing: install its server (Debian: apt-get install postgresql), or set DDD_TEST_POSTGRES_URL to the URL of one" >&2; \
	exit 1; fi

test: services ## Run all tests, those in the documentation included
	$(CARGO) test --workspace --all-features --no-fail-fast

lint: check-format clippy docs ## Check the format, the lints and the documentation

check-format:
	$(CARGO) fmt --all --check
	$(CARGO) fmt --manifest-path benches/peers/Cargo.toml --check

clippy:
	$(CARGO) clippy --workspace --all-targets --all-features -- -D warnings
	$(CARGO) clippy -p ddd-core --all-features -- -D warnings
	$(CARGO) clippy -p ddd-web --all-features -- -D warnings

docs:
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --workspace --no-deps --all-features

format: ## Format the code
	$(CARGO) fmt --all
	$(CARGO) fmt --manifest-path benches/peers/Cargo.toml

bench: ## Measure the engine, the policies and the HTTP layer beside their peers
	$(CARGO) bench -p ddd-benches

nightly: ## Run the long proofs: more cases, weight, build time, dependency policy, the peers of the benchmarks
	DDD_NIGHTLY=1 $(CARGO) test --workspace --all-features --no-fail-fast -- --include-ignored --skip measured:: --skip child_
	$(CARGO) test -p ddd-tests --test weight -- --ignored --nocapture --test-threads 1
	$(CARGO) clippy --locked --manifest-path benches/peers/Cargo.toml --target-dir target -- -D warnings
	@$(CARGO) deny --version >/dev/null 2>&1 || $(CARGO) install cargo-deny --locked
	$(CARGO) deny --all-features check bans licenses sources
	@if $(CARGO) deny --all-features fetch db; then $(CARGO) deny --all-features check advisories; \
	else echo "NOT CHECKED: advisories; their database cannot be reached from here" >&2; fi
