# Not tried: it was only read for its syntax by a person.
#
#     nix-build packaging/nix --arg src ./libotr-rs-0.1.0.tar.gz
{ pkgs ? import <nixpkgs> { }, src }:

pkgs.stdenv.mkDerivation {
  pname = "libotr-rs";
  version = "0.1.0";
  inherit src;

  nativeBuildInputs = [ pkgs.cargo pkgs.rustc ];
  # The crates are in the tarball, and .cargo/config.toml there says so.
  CARGO_NET_OFFLINE = "true";
  outputs = [ "out" "dev" "man" ];

  postPatch = "patchShebangs scripts";
  buildPhase = "make all toolkit";
  installPhase = ''
    make install PREFIX=$out INCLUDEDIR=$dev/include MANDIR=$man/share/man STRIP=
    install -Dm644 third-party-licences.txt $out/share/doc/libotr-rs/third-party-licences.txt
  '';

  doInstallCheck = true;
  installCheckPhase = ''
    $CC docs/examples/minimal.c -o minimal -I$dev/include -idirafter $dev/include/libotr/gcrypt-subset -L$out/lib -lotr
    LD_LIBRARY_PATH=$out/lib ./minimal
  '';

  meta = {
    description = "Off-the-Record messaging: libotr's C interface in memory-safe Rust";
    license = pkgs.lib.licenses.lgpl21Plus;
    platforms = pkgs.lib.platforms.linux;
  };
}
