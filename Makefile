# make            build the library
# make toolkit    build the programs: otr-keys, otr_parse ...
# make install    put both under PREFIX (/usr/local)
#                 make and make install take ABI=2 for libotr.so.2, the interface of libotr 3.2; without it, it is libotr.so.5, that of libotr 4.
# make demo       see it work: two BitlBees that talk through it; make demo-rust for a chat in Rust
# make test       run the quick tests: some three minutes
# make check      run every test
# make cross      build and test it for other machines (ARCH=i386 for one of them)
# make clients    real clients, those with windows as well: docs/clients.md
# make bench      measure it beside the libotr of the distribution
# make dist       the tarball of a release, in target/dist
# make deb        Debian packages, in target/deb; SUITE=trixie for Debian 13
#
# README.md tells more.

ABI = 5

PREFIX = /usr/local
LIBDIR = $(PREFIX)/lib
INCLUDEDIR = $(PREFIX)/include
DATADIR = $(PREFIX)/share
BINDIR = $(PREFIX)/bin
MANDIR = $(DATADIR)/man
DESTDIR =

CARGO = cargo
INSTALL = install
# Line numbers for backtraces are megabytes that a running program never reads. STRIP= leaves them in.
STRIP = strip

ifeq ($(ABI),5)
VERSION := 4.1.1
SONAME := libotr.so.5
SHARED := libotr.so.5.1.1
else ifeq ($(ABI),2)
VERSION := 3.2.1
SONAME := libotr.so.2
SHARED := libotr.so.2.2.1
else
$(error There is no ABI=$(ABI). It is 5, the interface of libotr 4 (libotr.so.5), unless you say 2, that of libotr 3.2 (libotr.so.2))
endif

# Where cargo builds, and where what it has built is kept for `make install`.
TARGET := $(if $(CARGO_TARGET_DIR),$(CARGO_TARGET_DIR),target)
RELEASE := $(TARGET)/$(if $(CARGO_BUILD_TARGET),$(CARGO_BUILD_TARGET)/)release
BUILT := $(TARGET)/libotr.abi$(ABI)

# The programs, in a profile and at a place of their own: `make` alone does not build them.
PROGRAMS := otr_parse otr_sesskeys otr_mackey otr_readforge otr_modify otr_remac otr-keys
PAGES := $(PROGRAMS:%=man1/%.1) man7/libotr.7
TOOLKIT := $(TARGET)/libotr.toolkit
TOOLKIT_SOURCES := Cargo.toml Cargo.lock toolkit/Cargo.toml $(wildcard .cargo/config.toml rust-toolchain.toml) \
	$(wildcard crates/*/Cargo.toml crates/*/build.rs) $(shell find toolkit/src crates -type f -name '*.rs')

# In a tarball of a release the crates are in vendor/, and what is built there is the same, byte for byte, wherever that is: the paths
# in messages, and in the debug information that the build ID is a hash of, are written without it. In a checkout REMAP=1 does
# the same; the tests build in the same directory as make, and would build all crates once more for it.
REMAP := $(wildcard vendor/.)
ifneq ($(REMAP),)
CARGO_HOME ?= $(HOME)/.cargo
remap := --remap-path-prefix=$(CURDIR)=libotr-rs --remap-path-prefix=$(CARGO_HOME)=cargo
blank := $(subst x,,x x)
comma := ,
# Cargo takes the flags of the environment, or else those of its configuration.
cargo_build = $(if $(RUSTFLAGS),RUSTFLAGS='$(RUSTFLAGS) $(remap)' $(CARGO) build,\
	$(CARGO) --config 'build.rustflags=["$(subst $(blank)--,"$(comma)"--,$(remap))"]' build)
else
cargo_build = $(CARGO) build
endif

HEADERS := include/abi$(ABI)/libotr
REFERENCE := abi-check/reference
SOURCES := Cargo.toml Cargo.lock build.rs $(wildcard .cargo/config.toml rust-toolchain.toml) \
	$(wildcard crates/*/Cargo.toml crates/*/build.rs) $(shell find src crates -type f -name '*.rs')

# The oldest Rust that will do, for those who have none.
RUST = $(shell sed -n 's/^rust-version = "\(.*\)"$$/\1/p' Cargo.toml)

# Absolute, for libotr.pc; there, what is below its prefix is named relative to it, so that a tree can be moved.
prefix := $(abspath $(PREFIX))
libdir := $(abspath $(LIBDIR))
includedir := $(abspath $(INCLUDEDIR))
datadir := $(abspath $(DATADIR))
bindir := $(abspath $(BINDIR))
mandir := $(abspath $(MANDIR))

.PHONY: all toolkit install uninstall demo demo-rust check test abi-check upstream-check clients cross bench fuzz mutants soak deny dist deb deb-check fmt clippy clean
.PHONY: install-2 install-5 install-plain install-shared uninstall-2 uninstall-5 uninstall-plain uninstall-shared
.PHONY: install-toolkit install-programs uninstall-toolkit
.DELETE_ON_ERROR:

all: $(BUILT)/$(SHARED) $(BUILT)/libotr.a

define need_cargo
@command -v $(CARGO) >/dev/null || { \
	echo "make: cargo was not found. Building libotr takes Rust $(RUST) or newer: see https://rustup.rs" >&2; exit 1; }
endef

$(BUILT)/$(SHARED): $(SOURCES)
	$(need_cargo)
	$(cargo_build) --release --lib --locked --target-dir '$(TARGET)' --no-default-features --features abi$(ABI)
	@mkdir -p '$(BUILT)'
	cp '$(RELEASE)/libotr.a' '$(BUILT)/rust.a'
	cp '$(RELEASE)/libotr.so' '$@'

$(BUILT)/libotr.a: $(BUILT)/$(SHARED) scripts/static-archive $(REFERENCE)/symbols.so.$(ABI).txt $(REFERENCE)/helpers.txt
	scripts/static-archive '$(BUILT)/rust.a' '$@' $(REFERENCE)/symbols.so.$(ABI).txt $(REFERENCE)/helpers.txt

toolkit: $(TOOLKIT)/otr-keys

# The last of the programs stands for all of them.
$(TOOLKIT)/otr-keys: $(TOOLKIT_SOURCES)
	$(need_cargo)
	$(cargo_build) --profile toolkit -p otr-toolkit --bins --locked --target-dir '$(TARGET)'
	@mkdir -p '$(TOOLKIT)'
	cp $(PROGRAMS:%='$(dir $(RELEASE))toolkit/%') '$(TOOLKIT)'

# What clients are built with goes to `development`: its arguments are the directories of the libraries and of the headers,
# how libotr.so there reaches the shared object, and the prefix that libotr.pc is to name.
define development
	$(INSTALL) -d '$(DESTDIR)$(1)/pkgconfig' '$(DESTDIR)$(2)/libotr/gcrypt-subset'
	ln -sf $(3)$(SHARED) '$(DESTDIR)$(1)/libotr.so'
	$(INSTALL) -m 644 '$(BUILT)/libotr.a' '$(DESTDIR)$(1)/libotr.a'
	$(INSTALL) -m 644 $(HEADERS)/*.h '$(DESTDIR)$(2)/libotr'
	$(INSTALL) -m 644 $(HEADERS)/gcrypt-subset/gcrypt.h '$(DESTDIR)$(2)/libotr/gcrypt-subset'
	sed -e 's|@PREFIX@|$(4)|' -e 's|@VERSION@|$(VERSION)|' \
		-e 's|@LIBDIR@|$(patsubst $(4)/%,$${prefix}/%,$(1))|' -e 's|@INCLUDEDIR@|$(patsubst $(4)/%,$${prefix}/%,$(2))|' \
		pkgconfig/libotr.pc.in > '$(DESTDIR)$(1)/pkgconfig/libotr.pc'
	chmod 644 '$(DESTDIR)$(1)/pkgconfig/libotr.pc'
endef

# Away with the development files in a directory of libraries and one of headers.
define no_development
	rm -f '$(DESTDIR)$(1)/libotr.so' '$(DESTDIR)$(1)/libotr.a' '$(DESTDIR)$(1)/pkgconfig/libotr.pc' \
		'$(DESTDIR)$(2)/libotr/gcrypt-subset/gcrypt.h' \
		$(patsubst $(HEADERS)/%,'$(DESTDIR)$(2)/libotr/%',$(wildcard $(HEADERS)/*.h))
	-rmdir '$(DESTDIR)$(2)/libotr/gcrypt-subset' '$(DESTDIR)$(2)/libotr'
endef

install: all install-$(ABI)
	@scripts/refresh-loader '$(DESTDIR)' '$(libdir)'

uninstall: uninstall-$(ABI)
	@scripts/refresh-loader '$(DESTDIR)' '$(libdir)'

install-shared: all
	$(INSTALL) -d '$(DESTDIR)$(libdir)' '$(DESTDIR)$(datadir)/aclocal'
	$(INSTALL) -m 755 '$(BUILT)/$(SHARED)' '$(DESTDIR)$(libdir)/$(SHARED)'
	$(if $(STRIP),$(STRIP) --strip-unneeded '$(DESTDIR)$(libdir)/$(SHARED)')
	ln -sf $(SHARED) '$(DESTDIR)$(libdir)/$(SONAME)'

install-plain: install-shared install-toolkit
	$(call development,$(libdir),$(includedir),,$(prefix))
	$(INSTALL) -m 644 pkgconfig/libotr.m4 '$(DESTDIR)$(datadir)/aclocal/libotr.m4'

install-5: install-plain

# `make && sudo make install` leaves the programs out where root has no cargo and nobody has built them.
install-toolkit:
	@if [ -e '$(TOOLKIT)/otr-keys' ] || command -v $(CARGO) >/dev/null; then $(MAKE) --no-print-directory install-programs; \
	else echo "make: the programs (otr-keys, otr_parse ...) are not installed: they are not built, which takes cargo: make toolkit"; fi

install-programs: toolkit
	$(INSTALL) -d '$(DESTDIR)$(bindir)' '$(DESTDIR)$(mandir)/man1' '$(DESTDIR)$(mandir)/man7'
	$(INSTALL) -m 755 $(PROGRAMS:%='$(TOOLKIT)/%') '$(DESTDIR)$(bindir)'
	$(if $(STRIP),$(STRIP) $(PROGRAMS:%='$(DESTDIR)$(bindir)/%'))
	$(INSTALL) -m 644 $(PROGRAMS:%=toolkit/man/%.1) '$(DESTDIR)$(mandir)/man1'
	$(INSTALL) -m 644 toolkit/man/libotr.7 '$(DESTDIR)$(mandir)/man7'

# Both interfaces may be in one prefix. The plain names (libotr.so, <libotr/*.h>, libotr.pc ...) are those of libotr.so.5
# then, in whatever order they come: Thunderbird, for one, loads libotr.so for it. Those of libotr.so.2 are in a prefix of
# their own besides, to which the builds of its clients can be pointed.
own := $(libdir)/libotr-2

install-2: install-shared
	$(call development,$(own)/lib,$(own)/include,../../,$(own))
	@if [ ! -e '$(DESTDIR)$(libdir)/libotr.so.5' ]; then $(MAKE) --no-print-directory ABI=2 install-plain; fi

uninstall-shared:
	rm -f '$(DESTDIR)$(libdir)/$(SONAME)' '$(DESTDIR)$(libdir)/$(SHARED)'

uninstall-plain: uninstall-toolkit
	$(call no_development,$(libdir),$(includedir))
	rm -f '$(DESTDIR)$(datadir)/aclocal/libotr.m4'

uninstall-toolkit:
	rm -f $(PROGRAMS:%='$(DESTDIR)$(bindir)/%') $(PAGES:%='$(DESTDIR)$(mandir)/%')

uninstall-5: uninstall-shared uninstall-plain

uninstall-2: uninstall-shared
	$(call no_development,$(own)/lib,$(own)/include)
	-rmdir '$(DESTDIR)$(own)/lib/pkgconfig' '$(DESTDIR)$(own)/lib' '$(DESTDIR)$(own)/include' '$(DESTDIR)$(own)'
	@if [ ! -e '$(DESTDIR)$(libdir)/libotr.so.5' ]; then $(MAKE) --no-print-directory ABI=2 uninstall-plain; fi

demo:
	demo/run

# Two processes that talk over a socket, from Rust alone.
demo-rust:
	demo/rust

# Debian's own Python, for which python-potr is packaged; PYTHON=python3 for another one that has pytest.
PYTHON = $(firstword $(wildcard /usr/bin/python3) python3)
PYTEST = $(PYTHON) -B -m pytest
# Two for two processors, and one that mostly waits. Tests that are in each other's way are in one group.
WORKERS = 3
# First the packages that the tests of these arguments need, and then the tests.
pytest = @$(PYTHON) -c 'import pytest, xdist' 2>/dev/null || scripts/install-packages python3 python3-pytest python3-pytest-xdist
define run_tests
$(pytest)
$(PYTEST) --install $(1)
$(PYTEST) -n $(WORKERS) --dist loadgroup --junitxml='$(TARGET)/junit.xml' $(1)
endef

check:
	$(call run_tests)

test:
	$(call run_tests,--quick)

ifeq ($(ABI),5)
abi-check:
	$(call run_tests,tests/test_abi_check.py --abi 5)
else
abi-check:
	abi-check/run --abi $(ABI)
endif

upstream-check:
	$(call run_tests,tests/upstream)

# Real clients from Debian's packages, in a terminal and under Xvfb, on this library and on the distribution's: some ten minutes.
# Writes docs/clients.md and the pictures in docs/clients.
clients: all
	$(MAKE) install PREFIX='$(abspath $(TARGET))/clients/prefix' DESTDIR=
	OTR_PREFIX='$(abspath $(TARGET))/clients/prefix' tests/clients/run --all --write

# All that scripts/cross knows, or ARCH. Some hours on two processors, in compilers and under qemu.
cross:
	scripts/cross --write $(ARCH)

bench: all
	benches/run

# Each target for SECONDS; fuzz/run says more.
SECONDS = 600
fuzz:
	fuzz/run $(SECONDS)

# Changes of wire and protocol that no test notices: some forty minutes.
mutants:
	scripts/mutants

# Random schedules, played by this library and the system's, for SECONDS. Then every point of failure in turn instead of
# a sample: some ten minutes. Last a statistic of times: it wants a machine that does nothing else.
soak:
	$(pytest)
	$(PYTEST) --install --soak $(SECONDS)
	$(PYTEST) --soak $(SECONDS)

# What the dependencies are: licences, sources, duplicates, and known vulnerabilities. cargo-deny gets the list of these from
# GitHub; tests/sources, in make check, needs nobody. The first time, cargo-deny is built: some minutes.
DENY := $(abspath $(TARGET))/tools/bin/cargo-deny
deny: $(DENY)
	$(DENY) check licenses bans sources
	$(DENY) check advisories

$(DENY):
	$(CARGO) install cargo-deny --locked --root '$(abspath $(TARGET))/tools'

# The sources and all crates, to build from without a network; the same bytes from the same commit.
dist:
	@scripts/dist.py '$(abspath $(TARGET))/dist'

# Debian packages, built in a Debian of their own; RUST=directory names the toolchain. deb-check tries them out: beside and in the
# place of Debian's libotr, under BitlBee and irssi. Both take root.
SUITE = bookworm
deb:
	@scripts/deb.py $(SUITE)

deb-check: deb
	tests/deb/run $(SUITE)

fmt:
	$(CARGO) fmt --all

clippy:
	$(CARGO) clippy --all-targets --locked --target-dir '$(TARGET)' --no-default-features --features abi$(ABI) -- -D warnings
	$(CARGO) clippy --all-targets --locked --target-dir '$(TARGET)' -p otr-crypto -p otr-protocol -p otr-toolkit -- -D warnings

clean:
	rm -rf '$(TARGET)/libotr.abi2' '$(TARGET)/libotr.abi5' '$(TOOLKIT)'
	$(CARGO) clean --target-dir '$(TARGET)'
