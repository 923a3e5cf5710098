"""BitlBee 3.6 built from Debian's source against the installation prefix under test, with OTR built in and as a plugin."""

import glob
import hashlib
import os
import shutil
import subprocess

from bitlbee import Installation
from loading import converse
from processes import Failure, Missing, Program
from scenario import require, scenario

BITLBEE_VERSION = "3.6"
FETCH = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "support", "fetch-source")


@scenario("built: BitlBee 3.6 configured with --otr=1: a conversation and SMP")
def built_in(stage):
    installation = build(stage, "1")
    if installation:
        converse(stage, stage.library.by_library_path(), installation)


@scenario("built: BitlBee 3.6 configured with --otr=plugin: a conversation and SMP")
def built_plugin(stage):
    installation = build(stage, "plugin")
    if installation:
        require(os.path.exists(os.path.join(installation.plugins, "otr.so")), "the build made no otr.so")
        converse(stage, stage.library.by_library_path(), installation)


def build(stage, otr):
    """The Installation of a BitlBee configured with --otr=<otr>; built when there is none for the present headers."""
    if not stage.prefix:
        raise Missing("OTR_PREFIX is not set: BitlBee can only be built against an installation with headers and libotr.pc")
    pkg_config_files = glob.glob(os.path.join(stage.prefix, "lib", "**", "pkgconfig", "libotr.pc"), recursive=True)
    require(pkg_config_files, f"there is no libotr.pc under {stage.prefix}/lib")
    directory = os.path.join(stage.build_directory, f"bitlbee-otr-{otr}")
    stamp = os.path.join(directory, "built-against")
    wanted = fingerprint_of(stage, pkg_config_files[0])
    if not (os.path.exists(stamp) and open(stamp, encoding="utf-8").read() == wanted):
        shutil.rmtree(directory, ignore_errors=True)
        os.makedirs(directory)
        log = os.path.join(directory, "build.log")
        run("fetching the source of BitlBee", [FETCH, "bitlbee", BITLBEE_VERSION, stage.build_directory], stage.build_directory, log, {})
        run("unpacking BitlBee", ["tar", "-xf", source_archive(stage), "--strip-components=1"], directory, log, {})
        here = {"PKG_CONFIG_PATH": os.path.dirname(pkg_config_files[0])}
        run("configuring BitlBee", ["./configure", f"--otr={otr}", f"--prefix={directory}/installed", "--doc=0", "--twitter=0",
                                    f"--config={directory}/state/"], directory, log, here)
        run("compiling BitlBee", ["make", "-j2"], directory, log, here)
        with open(stamp, "w", encoding="utf-8") as file:
            file.write(wanted)
    # Without plugins there, a BitlBee with OTR built in shows that it needs none.
    plugins = directory if otr == "plugin" else os.path.join(directory, "no-plugins")
    os.makedirs(plugins, exist_ok=True)
    return Installation(os.path.join(directory, "bitlbee"), plugins)


def fingerprint_of(stage, pkg_config_file):
    """What a build depends on: the prefix, libotr.pc and the headers."""
    digest = hashlib.sha256(os.path.abspath(stage.prefix).encode())
    headers = sorted(glob.glob(os.path.join(stage.prefix, "include", "libotr", "*.h")))
    require(headers, f"there are no headers in {stage.prefix}/include/libotr")
    for path in [pkg_config_file] + headers:
        with open(path, "rb") as file:
            digest.update(file.read())
    return digest.hexdigest()


def source_archive(stage):
    found = sorted(glob.glob(os.path.join(stage.build_directory, f"bitlbee_{BITLBEE_VERSION}*.orig.tar.*")))
    found = [path for path in found if not path.endswith(".asc")]
    if not found:
        raise Failure(f"no source archive of BitlBee {BITLBEE_VERSION} is in {stage.build_directory}")
    return found[-1]


def run(what, command, directory, log, environment):
    """Run a step of the build to its end. Failure with the log's end unless it succeeds."""
    print(f"# {what} ...", flush=True)
    variables = dict(environment)
    program = Program(what, ["sh", "-c", 'cd "$1" && shift && exec "$@"', "sh", directory] + command, log, variables)
    code = program.wait(300)
    if code != 0:
        raise Failure(f"{what} failed (exit code {code}, log {log}):\n" + "\n".join(program.log_tail(15)))
