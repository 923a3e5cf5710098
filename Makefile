# make            build the library
# make toolkit    build the programs: otr-keys, otr_parse ...
# make install    install both under PREFIX (/usr/local)
#                 With ABI=2, make and make install are about libotr.so.2 (libotr 3.2), otherwise about libotr.so.5 (libotr 4).
# make demo       two BitlBees that talk through it; make demo-rust for a chat in Rust
# make test       run the quick tests: about three minutes
# make check      run every test
# make cross      build and test it for other machines (ARCH=i386 for one of them)
# make clients    test real clients, graphical ones as well: docs/clients.md
# make bench      compare its speed with the distribution's libotr
# make dist       the tarball of a release, in target/dist
# make deb        Debian packages, in target/deb; SUITE=trixie for Debian 13
#
# See README.md.

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
# Line numbers for backtraces take megabytes. STRIP= keeps them.
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

# Where cargo builds, and where the results are kept for `make install`.
TARGET := $(if $(CARGO_TARGET_DIR),$(CARGO_TARGET_DIR),target)
RELEASE := $(TARGET)/$(if $(CARGO_BUILD_TARGET),$(CARGO_BUILD_TARGET)/)release
BUILT := $(TARGET)/libotr.abi$(ABI)

# The programs have their own profile and directory: plain `make` does not build them.
PROGRAMS := otr_parse otr_sesskeys otr_mackey otr_readforge otr_modify otr_remac otr-keys
PAGES := $(PROGRAMS:%=man1/%.1) man7/libotr.7
TOOLKIT := $(TARGET)/libotr.toolkit
TOOLKIT_SOURCES := Cargo.toml Cargo.lock toolkit/Cargo.toml $(wildcard .cargo/config.toml rust-toolchain.toml) \
	$(wildcard crates/*/Cargo.toml crates/*/build.rs) $(shell find toolkit/src crates -type f -name '*.rs')

# In a release tarball the crates are in vendor/, and builds are reproducible in any directory: paths in messages, and in the debug
# information of which the build ID is a hash, do not contain the directory. In a checkout REMAP=1 does the same. It is not the default
# there, because the tests build in the same directory as make and would have to build all crates again.
REMAP := $(wildcard vendor/.)
ifneq ($(REMAP),)
CARGO_HOME ?= $(HOME)/.cargo
remap := --remap-path-prefix=$(CURDIR)=libotr-rs --remap-path-prefix=$(CARGO_HOME)=cargo
blank := $(subst x,,x x)
comma := ,
# Cargo uses the flags from the environment, or otherwise those of its configuration.
cargo_build = $(if $(RUSTFLAGS),RUSTFLAGS='$(RUSTFLAGS) $(remap)' $(CARGO) build,\
	$(CARGO) --config 'build.rustflags=["$(subst $(blank)--,"$(comma)"--,$(remap))"]' build)
else
cargo_build = $(CARGO) build
endif

HEADERS := include/abi$(ABI)/libotr
REFERENCE := abi-check/reference
SOURCES := Cargo.toml Cargo.lock build.rs $(wildcard .cargo/config.toml rust-toolchain.toml) \
	$(wildcard crates/*/Cargo.toml crates/*/build.rs) $(shell find src crates -type f -name '*.rs')

# The oldest Rust that works, for the error message below.
RUST = $(shell sed -n 's/^rust-version = "\(.*\)"$$/\1/p' Cargo.toml)

# Absolute, for libotr.pc. Directories below the prefix are relative to it there, so that the tree can be moved.
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

# The last program represents all of them.
$(TOOLKIT)/otr-keys: $(TOOLKIT_SOURCES)
	$(need_cargo)
	$(cargo_build) --profile toolkit -p otr-toolkit --bins --locked --target-dir '$(TARGET)'
	@mkdir -p '$(TOOLKIT)'
	cp $(PROGRAMS:%='$(dir $(RELEASE))toolkit/%') '$(TOOLKIT)'

# Installs the files with which clients are built. Arguments: the directory of the libraries, that of the headers, the path from
# there to the shared object, and the prefix for libotr.pc.
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

# Removes the development files from a directory of libraries and one of headers.
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

# `make && sudo make install` skips the programs if they have not been built and root has no cargo.
install-toolkit:
	@if [ -e '$(TOOLKIT)/otr-keys' ] || command -v $(CARGO) >/dev/null; then $(MAKE) --no-print-directory install-programs; \
	else echo "make: the programs (otr-keys, otr_parse ...) are not installed: they are not built, which takes cargo: make toolkit"; fi

install-programs: toolkit
	$(INSTALL) -d '$(DESTDIR)$(bindir)' '$(DESTDIR)$(mandir)/man1' '$(DESTDIR)$(mandir)/man7'
	$(INSTALL) -m 755 $(PROGRAMS:%='$(TOOLKIT)/%') '$(DESTDIR)$(bindir)'
	$(if $(STRIP),$(STRIP) $(PROGRAMS:%='$(DESTDIR)$(bindir)/%'))
	$(INSTALL) -m 644 $(PROGRAMS:%=toolkit/man/%.1) '$(DESTDIR)$(mandir)/man1'
	$(INSTALL) -m 644 toolkit/man/libotr.7 '$(DESTDIR)$(mandir)/man7'

# Both interfaces can be in one prefix. Then the plain names (libotr.so, <libotr/*.h>, libotr.pc ...) belong to libotr.so.5, in whichever
# order they are installed: Thunderbird, for example, loads libotr.so and expects it. Those of libotr.so.2 are also in a separate prefix,
# for builds of its clients.
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

# Two processes that talk over a socket, in Rust only.
demo-rust:
	demo/rust

# Debian's Python, for which python-potr is packaged; PYTHON=python3 for another one that has pytest.
PYTHON = $(firstword $(wildcard /usr/bin/python3) python3)
PYTEST = $(PYTHON) -B -m pytest
# Two for two processors, and one that mostly waits. Tests that disturb each other are in one group.
WORKERS = 3
# Installs the packages that these tests need, and runs the tests.
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

# Real clients from Debian's packages, in a terminal and under Xvfb, with this library and the distribution's: about ten minutes.
# Writes docs/clients.md and the pictures in docs/clients.
clients: all
	$(MAKE) install PREFIX='$(abspath $(TARGET))/clients/prefix' DESTDIR=
	OTR_PREFIX='$(abspath $(TARGET))/clients/prefix' tests/clients/run --all --write

# All architectures of scripts/cross, or ARCH. Some hours on two processors, for compiling and under qemu.
cross:
	scripts/cross --write $(ARCH)

bench: all
	benches/run

# Each target for SECONDS; see fuzz/run.
SECONDS = 600
fuzz:
	fuzz/run $(SECONDS)

# Changes of crates/otr-protocol, except its store, that no test notices: about forty minutes. With SINCE=REV, of the lines in
# crates/ and src/ that differ from REV.
mutants:
	scripts/mutants $(if $(SINCE),--since $(SINCE))

# Random schedules, played by this library and the system's, for SECONDS. Then every point of failure instead of a sample: about ten
# minutes. Last a statistical test of times, which needs an otherwise idle machine.
soak:
	$(pytest)
	$(PYTEST) --install --soak $(SECONDS)
	$(PYTEST) --soak $(SECONDS)

# Checks the dependencies: licences, sources, duplicates, and known vulnerabilities, whose list cargo-deny gets from GitHub;
# tests/sources, in make check, needs no network. The first run builds cargo-deny, which takes some minutes.
DENY := $(abspath $(TARGET))/tools/bin/cargo-deny
deny: $(DENY)
	$(DENY) check licenses bans sources
	$(DENY) check advisories

$(DENY):
	$(CARGO) install cargo-deny --locked --root '$(abspath $(TARGET))/tools'

# The sources and all crates, to build without a network. The same commit gives the same bytes.
dist:
	@scripts/dist.py '$(abspath $(TARGET))/dist'

# Debian packages, built in a chroot; RUST=directory names the toolchain. deb-check tests them with and instead of Debian's libotr,
# with BitlBee and irssi. Both need root.
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
