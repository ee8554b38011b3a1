# Two targets over cargo that first install what a fresh Debian lacks.

SHELL := /bin/bash
CARGO ?= cargo

.PHONY: run test compiler

run: compiler
	$(CARGO) run --release --locked

# With cargo-nextest when it is there: the same tests, sooner and more readable,
# but for those in the documentation.
test: compiler
	@if $(CARGO) nextest --version >/dev/null 2>&1; then \
		set -ex; $(CARGO) nextest run --workspace --locked; $(CARGO) test --workspace --doc --locked; \
	else \
		set -ex; $(CARGO) test --workspace --locked; \
	fi

# SQLite and the cryptography are partly C, and Opus is C that CMake builds.
compiler:
	@command -v cc >/dev/null && command -v cmake >/dev/null && exit 0; \
	if ! command -v apt-get >/dev/null; then \
		echo "mixminus needs a C compiler (cc) and cmake to build; please install them" >&2; exit 1; \
	fi; \
	echo "installing build-essential and cmake: mixminus needs a C compiler and CMake to build"; \
	sudo=$$([ "$$(id -u)" = 0 ] || echo sudo); \
	$$sudo apt-get update -qq && \
	$$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends build-essential cmake
