# Two targets over cargo that first install what a fresh Debian lacks.

SHELL := /bin/bash
CARGO ?= cargo

.PHONY: run test compiler readers

run: compiler
	$(CARGO) run --release --locked

# With cargo-nextest when it is there: the same tests, sooner and more readable,
# but for those in the documentation.
test: compiler readers
	@if $(CARGO) nextest --version >/dev/null 2>&1; then \
		set -ex; $(CARGO) nextest run --workspace --locked; $(CARGO) test --workspace --doc --locked; \
	else \
		set -ex; $(CARGO) test --workspace --locked; \
	fi

# SQLite and the cryptography are partly C, and Opus is C that CMake builds.
compiler:
	$(call installed,cc cmake,build-essential cmake,to build)

# Tests of recordings have them read by programs that are not ours.
readers:
	$(call installed,ffmpeg sox,ffmpeg sox,for its tests)

# Programs that must be there, packages that have them, what for.
define installed
	@missing=; for program in $(1); do command -v $$program >/dev/null || missing=1; done; \
	if [ -z "$$missing" ]; then exit 0; fi; \
	if ! command -v apt-get >/dev/null; then \
		echo "mixminus needs $(1) $(3); please install them" >&2; exit 1; \
	fi; \
	echo "installing $(2): mixminus needs $(1) $(3)"; \
	sudo=$$([ "$$(id -u)" = 0 ] || echo sudo); \
	$$sudo apt-get update -qq && \
	$$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $(2)
endef
