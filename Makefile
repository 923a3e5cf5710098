# make            build the library
# make install    put it under PREFIX (/usr/local)
# make demo       see it work: two BitlBees that talk through it
# make check      run every test
# make bench      measure it beside the libotr of the distribution
#
# README.md tells more.

ABI = 5

PREFIX = /usr/local
LIBDIR = $(PREFIX)/lib
INCLUDEDIR = $(PREFIX)/include
DATADIR = $(PREFIX)/share
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
$(error ABI=2, the interface of libotr 3.2 (libotr.so.2), is not in this version yet. Without ABI=2 you get the interface of libotr 4 (libotr.so.5))
else
$(error There is no ABI=$(ABI). It is 5, the interface of libotr 4 (libotr.so.5), unless you say otherwise)
endif

# Where cargo builds, and where what it has built is kept for `make install`.
TARGET := $(if $(CARGO_TARGET_DIR),$(CARGO_TARGET_DIR),target)
RELEASE := $(TARGET)/$(if $(CARGO_BUILD_TARGET),$(CARGO_BUILD_TARGET)/)release
BUILT := $(TARGET)/libotr.abi$(ABI)

HEADERS := include/abi$(ABI)/libotr
REFERENCE := abi-check/reference
SOURCES := Cargo.toml Cargo.lock build.rs $(wildcard .cargo/config.toml rust-toolchain.toml) \
	$(shell find src -type f -name '*.rs')

# Absolute, for libotr.pc; there, what is below the prefix is named relative to it, so that a tree can be moved.
prefix := $(abspath $(PREFIX))
libdir := $(abspath $(LIBDIR))
includedir := $(abspath $(INCLUDEDIR))
datadir := $(abspath $(DATADIR))
below_prefix = $(patsubst $(prefix)/%,$${prefix}/%,$(1))

.PHONY: all install uninstall demo check abi-check upstream-check bench fuzz soak fmt clippy clean
.DELETE_ON_ERROR:

all: $(BUILT)/$(SHARED) $(BUILT)/libotr.a

$(BUILT)/$(SHARED): $(SOURCES)
	@command -v $(CARGO) >/dev/null || { \
		echo "make: cargo was not found. Building libotr takes Rust 1.89 or newer: see https://rustup.rs" >&2; exit 1; }
	$(CARGO) build --release --lib --locked --target-dir '$(TARGET)' --no-default-features --features abi$(ABI)
	@mkdir -p '$(BUILT)'
	cp '$(RELEASE)/libotr.a' '$(BUILT)/rust.a'
	cp '$(RELEASE)/libotr.so' '$@'

$(BUILT)/libotr.a: $(BUILT)/$(SHARED) scripts/static-archive $(REFERENCE)/symbols.so.$(ABI).txt $(REFERENCE)/helpers.txt
	scripts/static-archive '$(BUILT)/rust.a' '$@' $(REFERENCE)/symbols.so.$(ABI).txt $(REFERENCE)/helpers.txt

install: all
	$(INSTALL) -d '$(DESTDIR)$(libdir)/pkgconfig' '$(DESTDIR)$(datadir)/aclocal' \
		'$(DESTDIR)$(includedir)/libotr/gcrypt-subset'
	$(INSTALL) -m 755 '$(BUILT)/$(SHARED)' '$(DESTDIR)$(libdir)/$(SHARED)'
	$(if $(STRIP),$(STRIP) --strip-unneeded '$(DESTDIR)$(libdir)/$(SHARED)')
	ln -sf $(SHARED) '$(DESTDIR)$(libdir)/$(SONAME)'
	ln -sf $(SHARED) '$(DESTDIR)$(libdir)/libotr.so'
	$(INSTALL) -m 644 '$(BUILT)/libotr.a' '$(DESTDIR)$(libdir)/libotr.a'
	$(INSTALL) -m 644 $(HEADERS)/*.h '$(DESTDIR)$(includedir)/libotr'
	$(INSTALL) -m 644 $(HEADERS)/gcrypt-subset/gcrypt.h '$(DESTDIR)$(includedir)/libotr/gcrypt-subset'
	sed -e 's|@PREFIX@|$(prefix)|' -e 's|@VERSION@|$(VERSION)|' \
		-e 's|@LIBDIR@|$(call below_prefix,$(libdir))|' -e 's|@INCLUDEDIR@|$(call below_prefix,$(includedir))|' \
		pkgconfig/libotr.pc.in > '$(DESTDIR)$(libdir)/pkgconfig/libotr.pc'
	chmod 644 '$(DESTDIR)$(libdir)/pkgconfig/libotr.pc'
	$(INSTALL) -m 644 pkgconfig/libotr.m4 '$(DESTDIR)$(datadir)/aclocal/libotr.m4'
	@scripts/refresh-loader '$(DESTDIR)' '$(libdir)'

uninstall:
	rm -f '$(DESTDIR)$(libdir)/libotr.so' '$(DESTDIR)$(libdir)/$(SONAME)' '$(DESTDIR)$(libdir)/$(SHARED)' \
		'$(DESTDIR)$(libdir)/libotr.a' '$(DESTDIR)$(libdir)/pkgconfig/libotr.pc' '$(DESTDIR)$(datadir)/aclocal/libotr.m4' \
		'$(DESTDIR)$(includedir)/libotr/gcrypt-subset/gcrypt.h' \
		$(patsubst $(HEADERS)/%,'$(DESTDIR)$(includedir)/libotr/%',$(wildcard $(HEADERS)/*.h))
	-rmdir '$(DESTDIR)$(includedir)/libotr/gcrypt-subset' '$(DESTDIR)$(includedir)/libotr'
	@scripts/refresh-loader '$(DESTDIR)' '$(libdir)'

demo:
	demo/run

check:
	scripts/check

ifeq ($(ABI),5)
abi-check:
	scripts/check abi-check abi-self-test
else
abi-check:
	abi-check/run --abi $(ABI)
endif

upstream-check:
	scripts/check upstream

bench: all
	benches/run

# Each target for SECONDS; fuzz/run says more.
SECONDS = 600
fuzz:
	fuzz/run $(SECONDS)

# Random schedules, played by this library and the system's, for SECONDS. Then every point of failure in turn instead of
# a sample: some ten minutes.
soak: all
	$(MAKE) install PREFIX='$(abspath $(TARGET))/soak' DESTDIR=
	OTR_PREFIX='$(abspath $(TARGET))/soak' tests/same/run --soak $(SECONDS)
	OTR_HOLD_EVERY=1 scripts/check hold

fmt:
	$(CARGO) fmt

clippy:
	$(CARGO) clippy --all-targets --locked --target-dir '$(TARGET)' --no-default-features --features abi$(ABI) -- -D warnings

clean:
	rm -rf '$(TARGET)/libotr.abi2' '$(TARGET)/libotr.abi5'
	$(CARGO) clean --target-dir '$(TARGET)'
