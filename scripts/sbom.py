#!/usr/bin/env python3
"""Lists what the library and the programs contain in addition to their own code: a bill of materials in CycloneDX format, and the
texts of the crates' licences. Needs no network: everything is in Cargo.lock and in the sources of the crates.

    scripts/sbom.py DIRECTORY [TOP]    writes bill-of-materials.cdx.json and third-party-licences.txt to DIRECTORY, of the sources in TOP

`scripts/dist.py` puts both into the tarball. The date of the bill is SOURCE_DATE_EPOCH from the environment; without it there is none."""

import json
import os
import re
import subprocess
import sys
import tomllib
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NAME = "libotr-rs"
# What is installed is built from these two.
PRODUCTS = ("libotr", "otr-toolkit")
# What an installation is made for; no other crates are linked in there.
TARGETS = ("x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu")
LICENCE_FILES = re.compile(r"(licen[cs]e|copying|notice|copyright|unlicense)", re.I)
STANDARD_LIBRARY = """\
The standard library of Rust, which is linked in as well, comes with the compiler and is not in these sources. It may be used
under the MIT licence or the Apache License 2.0; the file COPYRIGHT of the compiler lists what it is made of.
"""


def cargo(top, *arguments):
    """What cargo prints, or the end of the program."""
    command = ["cargo", *arguments, "--offline", "--locked"]
    done = subprocess.run(command, cwd=top, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"sbom.py: {' '.join(command)}\n{done.stderr}")
    return done.stdout


def needed(top, kinds, target):
    """The packages that the products need, by name and version, and whether each is needed by more than macros of the compiler."""
    products = [word for product in PRODUCTS for word in ("-p", product)]
    tree = cargo(top, "tree", *products, "-e", kinds, "--target", target, "--prefix", "depth", "--no-dedupe")
    found, macro_depth = {}, None
    for line in tree.splitlines():
        entry = re.match(r"(\d+)(\S+) v(\S+)(.*)", line)
        if not entry:
            continue
        depth, package = int(entry[1]), (entry[2], entry[3])
        if macro_depth is not None and depth <= macro_depth:
            macro_depth = None
        if macro_depth is None and "(proc-macro)" in entry[4]:
            macro_depth = depth
        found[package] = found.get(package, False) or macro_depth is None
    return found


class Materials:
    """The packages that the products need: those that are linked in, and those that only their build needs."""

    def __init__(self, top):
        linked, all_needed = set(), set()
        for target in TARGETS:
            linked |= {package for package, is_linked in needed(top, "normal", target).items() if is_linked}
            all_needed |= set(needed(top, "normal,build", target))
        found = json.loads(cargo(top, "metadata", "--format-version", "1"))
        names = {package["id"]: (package["name"], package["version"]) for package in found["packages"]}
        self.packages = {package["id"]: package for package in found["packages"]}
        self.linked = {package for package, name in names.items() if name in linked}
        self.built_with = {package for package, name in names.items() if name in all_needed} - self.linked
        if len(self.linked | self.built_with) != len(all_needed):
            sys.exit("sbom.py: cargo tree and cargo metadata name different packages")
        known = self.linked | self.built_with
        self.needs = {node["id"]: {need["pkg"] for need in node["deps"] if {kind["kind"] for kind in need["dep_kinds"]} - {"dev"}} & known
                      for node in found["resolve"]["nodes"]}

    def crates(self):
        """Those that are not ours, in the order of their names."""
        both = [self.packages[package] for package in self.linked | self.built_with]
        return sorted((package for package in both if package["source"]), key=lambda it: (it["name"], it["version"]))


def address(package):
    """A package as the bill names it."""
    if package["source"]:
        return f"pkg:cargo/{package['name']}@{package['version']}"
    return f"{NAME}/{package['name']}@{package['version']}"


def licence(package):
    """The licence of a package, as SPDX writes it."""
    return (package["license"] or "").replace("/", " OR ").replace("  ", " ")


def component(package, checksums, is_linked):
    """A package as a component of the bill."""
    entry = {"type": "library", "bom-ref": address(package), "name": package["name"], "version": package["version"],
             "scope": "required" if is_linked else "excluded", "licenses": [{"expression": licence(package)}]}
    if package["source"]:
        entry["hashes"] = [{"alg": "SHA-256", "content": checksums[package["name"], package["version"]]}]
        entry["purl"] = address(package)
    if package["repository"]:
        entry["externalReferences"] = [{"type": "vcs", "url": package["repository"]}]
    return entry


def bill(materials, top):
    """The bill of materials."""
    lock = tomllib.loads((top / "Cargo.lock").read_text(encoding="utf-8"))
    checksums = {(package["name"], package["version"]): package.get("checksum") for package in lock["package"]}
    everything = sorted(materials.linked | materials.built_with, key=lambda it: address(materials.packages[it]))
    products = [it for it in everything if materials.packages[it]["name"] in PRODUCTS]
    version = materials.packages[products[0]]["version"]
    about = {"component": {"type": "library", "bom-ref": f"{NAME}@{version}", "name": NAME, "version": version,
                           "licenses": [{"expression": "LGPL-2.1-or-later"}]}}
    if date := os.environ.get("SOURCE_DATE_EPOCH"):
        about["timestamp"] = datetime.fromtimestamp(int(date), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    needs = {address(materials.packages[it]): sorted(address(materials.packages[need]) for need in materials.needs.get(it, ()))
             for it in everything}
    needs[f"{NAME}@{version}"] = [address(materials.packages[it]) for it in products]
    return {"$schema": "http://cyclonedx.org/schema/bom-1.5.schema.json", "bomFormat": "CycloneDX", "specVersion": "1.5",
            "version": 1, "metadata": about,
            "components": [component(materials.packages[it], checksums, it in materials.linked) for it in everything],
            "dependencies": [{"ref": name, "dependsOn": needs[name]} for name in sorted(needs)]}


def licence_texts(package):
    """The files of a crate that are about its licence: their texts without blanks at the ends of lines."""
    directory = Path(package["manifest_path"]).parent
    files = sorted(path for path in directory.iterdir() if path.is_file() and LICENCE_FILES.match(path.name)
                   and path.suffix not in (".rs", ".toml"))
    texts = (path.read_text(encoding="utf-8", errors="replace") for path in files)
    return ["\n".join(line.rstrip() for line in text.strip().splitlines()) for text in texts]


def without_text(package):
    """What stands for the licence of a crate that has no file with it."""
    return f"{licence(package)}. The crate does not have its text; it is from {package['repository']}"


def licences(materials):
    """All licences of what is linked in: each text once, after the crates whose it is."""
    linked = [package for package in materials.crates() if package["id"] in materials.linked]
    lines = [f"{NAME} itself is under the licence in the file LICENSE. These crates are linked into its library or its programs:", ""]
    lines += [f"    {package['name']} {package['version']}: {licence(package)}" for package in linked]
    lines += ["", STANDARD_LIBRARY]
    texts = {}
    for package in linked:
        for text in licence_texts(package) or [without_text(package)]:
            texts.setdefault(text, []).append(f"{package['name']} {package['version']}")
    for text, crates in texts.items():
        lines += ["=" * 80, f"Of {', '.join(crates)}:", "", text, ""]
    return "\n".join(lines)


def write(directory, top):
    """Writes both files."""
    materials = Materials(top)
    text = json.dumps(bill(materials, top), indent=2, ensure_ascii=False) + "\n"
    (directory / "bill-of-materials.cdx.json").write_text(text, encoding="utf-8")
    (directory / "third-party-licences.txt").write_text(licences(materials), encoding="utf-8")


if __name__ == "__main__":
    if not 2 <= len(sys.argv) <= 3:
        sys.exit(__doc__)
    write(Path(sys.argv[1]), Path(sys.argv[2]) if sys.argv[2:] else ROOT)
