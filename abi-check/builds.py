"""Checks of the ways in which builds and programs find libotr."""

import os
import re
import shutil

from facts import HELPERS
from subject import Problems, command_output


def pkg_config_of(subject, *arguments):
    """What pkg-config says of this libotr."""
    # Requires.private of a distribution's libotr may name packages that are elsewhere.
    environment = dict(subject.environment, PKG_CONFIG_PATH=f"{subject.directory}/pkgconfig")
    return command_output(["pkg-config", *arguments], env=environment)


def pkg_config(subject):
    """pkg-config finds it, with the versions that clients ask for (BitlBee, irssi, profanity, hexchat)."""
    problems = Problems()
    if not os.path.exists(f"{subject.directory}/pkgconfig/libotr.pc"):
        problems.append(f"no {subject.directory}/pkgconfig/libotr.pc")
        return problems
    version = pkg_config_of(subject, "--modversion", "libotr").stdout.strip()
    problems.unless(version in subject.interface.versions, f"--modversion says {version}")
    for asked in subject.interface.asked:
        problems.unless(pkg_config_of(subject, f"--atleast-version={asked}", "libotr").returncode == 0, f"{asked} is not found")
    problems.unless(pkg_config_of(subject, f"--atleast-version={subject.interface.too_new}", "libotr").returncode != 0,
                    f"{subject.interface.too_new} is found")
    cflags, libs = (pkg_config_of(subject, option, "libotr").stdout.split() for option in ("--cflags", "--libs"))
    problems.unless("-lotr" in libs, f"--libs says {libs}")
    program = os.path.join(subject.work, "by-pkg-config")
    source = subject.write("by-pkg-config.c", "#include <libotr/proto.h>\n#include <stdio.h>\n"
                           "int main(void) { puts(otrl_version()); return 0; }\n")
    done = command_output(["gcc", *cflags, source, "-o", program, *libs])
    problems.unless(done.returncode == 0, done.stderr)
    if done.returncode == 0:
        said = command_output([program], env=subject.environment).stdout.strip()
        problems.unless(said in subject.interface.versions, f"the program says {said}")
    return problems


CONFIGURE = """
AC_INIT([client], [1.0])
AM_INIT_AUTOMAKE([foreign])
AC_PROG_CC
LIBGCRYPT_LIBS="-lgcrypt"
AM_PATH_LIBOTR([%s], [echo result=found], [echo result=missing])
echo "libs=$LIBOTR_LIBS"
"""


def autoconf(subject):
    """AM_PATH_LIBOTR finds it (pidgin-otr, irssi-otr, mcabber, climm), and no newer one."""
    problems = Problems()
    if not os.path.exists(f"{subject.aclocal}/libotr.m4"):
        problems.append(f"no {subject.aclocal}/libotr.m4")
        return problems
    wanted = subject.interface.versions[0]
    number, second, third = wanted.split(".")
    for version, expected in ((wanted, "found"), (f"{number}.{int(second) + 1}.{third}", "missing")):
        directory = os.path.join(subject.work, f"autoconf-{expected}")
        shutil.rmtree(directory, ignore_errors=True)
        subject.write(f"autoconf-{expected}/configure.ac", CONFIGURE % version)
        shutil.copy(f"{subject.aclocal}/libotr.m4", directory)
        for command in (["aclocal", "-I", "."], ["autoconf"]):
            problems.runs(command, cwd=directory)
        command_output(["automake", "--add-missing", "--copy", "--foreign"], cwd=directory)
        environment = dict(subject.environment, LDFLAGS=f"-L{subject.directory}", CPPFLAGS=f"-I{subject.headers}")
        done = command_output(["./configure", f"--with-libotr-prefix={subject.prefix}"], cwd=directory, env=environment)
        problems.unless(f"result={expected}\n" in done.stdout, f"{version} is not {expected}:\n{done.stdout[-1500:]}{done.stderr}")
        if expected == "found":
            problems.unless("-lotr" in done.stdout.rsplit("libs=", 1)[-1], "LIBOTR_LIBS has no -lotr")
    return problems


# What the modules of Kopete and KDE Telepathy do, in few words.
FIND = """
find_path(LIBOTR_INCLUDE_DIR libotr/version.h)
find_library(LIBOTR_LIBRARY NAMES otr libotr)
if(LIBOTR_INCLUDE_DIR)
  file(STRINGS "${LIBOTR_INCLUDE_DIR}/libotr/version.h" lines REGEX "OTRL_VERSION")
  string(REGEX MATCH "OTRL_VERSION \\"[0-9]+\\\\.[0-9]+\\\\.[0-9]+" match "${lines}")
  string(REGEX REPLACE "OTRL_VERSION \\"" "" LIBOTR_VERSION "${match}")
endif()
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(LibOTR REQUIRED_VARS LIBOTR_LIBRARY LIBOTR_INCLUDE_DIR VERSION_VAR LIBOTR_VERSION)
"""
CMAKE = """
cmake_minimum_required(VERSION 3.10)
project(client C)
set(CMAKE_MODULE_PATH "${CMAKE_SOURCE_DIR}")
find_package(LibOTR %s REQUIRED)
message(STATUS "libotr is ${LIBOTR_VERSION} at ${LIBOTR_LIBRARY}")
"""


def cmake(subject):
    """A FindLibOTR.cmake that reads version.h finds it (Kopete, KDE Telepathy, Psi)."""
    problems = Problems()
    directory = os.path.join(subject.work, "cmake")
    for version, found in ((subject.interface.versions[0], True), (f"{subject.interface.too_new}.0", False)):
        shutil.rmtree(directory, ignore_errors=True)
        subject.write("cmake/CMakeLists.txt", CMAKE % version)
        subject.write("cmake/FindLibOTR.cmake", FIND)
        done = command_output(["cmake", "-S", directory, "-B", f"{directory}/build", f"-DCMAKE_INCLUDE_PATH={subject.headers}",
                               f"-DCMAKE_LIBRARY_PATH={subject.directory}", "-DCMAKE_C_COMPILER_WORKS=1"])
        if not found:
            problems.unless(done.returncode != 0, f"{version} is found")
            continue
        said = re.search(r"libotr is (\S*) at (\S*)", done.stdout)
        problems.unless(done.returncode == 0 and said and said[1] in subject.interface.versions
                        and os.path.dirname(said[2]) == subject.directory, done.stdout + done.stderr)
    return problems


MESON = """
project('client', 'c')
otr = dependency('libotr', version: '>= %s')
message('libotr is ' + otr.version())
"""


def meson(subject):
    """meson's dependency() finds it (irssi, profanity, hexchat)."""
    problems = Problems()
    environment = dict(subject.environment, PKG_CONFIG_PATH=f"{subject.directory}/pkgconfig")
    for version, found in ((subject.interface.asked[-1], True), (subject.interface.too_new, False)):
        directory = os.path.join(subject.work, f"meson-{version}")
        shutil.rmtree(directory, ignore_errors=True)
        subject.write(f"meson-{version}/meson.build", MESON % version)
        done = command_output(["meson", "setup", f"{directory}/build", directory], env=environment)
        if not found:
            problems.unless(done.returncode != 0, f"{version} is found")
            continue
        said = re.search(r"libotr is (\S+)", done.stdout)
        problems.unless(done.returncode == 0 and said and said[1] in subject.interface.versions, done.stdout + done.stderr)
    return problems


def archive(subject):
    """libotr.a is there and a program links with it; BitlBee up to 3.2.2 looks for it in lib of /, /usr or /usr/local."""
    problems = Problems()
    path = os.path.join(subject.directory, "libotr.a")
    if not os.path.exists(path):
        problems.append(f"no {path}")
        return problems
    listed = command_output(["nm", "--defined-only", "--extern-only", path]).stdout
    found = {line.split()[2] for line in listed.splitlines() if len(line.split()) == 3}
    problems.same_names(found & set(subject.interface.symbols()), subject.interface.symbols())
    source = subject.write("static.c", "#include <libotr/proto.h>\n#include <libotr/message.h>\n"
                           "int main(void) { OTRL_INIT; otrl_message_free(0); return !otrl_version(); }\n")
    program = os.path.join(subject.work, "static")
    done = command_output(["gcc", f"-I{subject.headers}", source, path, "-lgcrypt", "-o", program])
    problems.unless(done.returncode == 0, done.stderr)
    if done.returncode == 0:
        problems.runs([program])
        problems.unless("libotr" not in command_output(["readelf", "-d", program]).stdout, "the program needs libotr.so")
    return problems


def lib_directory(subject):
    """libotr.a is in PREFIX/lib itself, where BitlBee up to 3.2.2 looks."""
    problems = Problems()
    path = os.path.join(subject.prefix, "lib", "libotr.a")
    problems.unless(os.path.exists(path), f"no {path}")
    return problems


DLOPEN = """
#include <dlfcn.h>
#include <stdio.h>
int main(int argc, char **argv)
{
    const char *(*version)(void);
    void *library = dlopen(argv[argc - 1], RTLD_NOW | RTLD_LOCAL);
    if (!library) { puts(dlerror()); return 1; }
    *(void **)&version = dlsym(library, "otrl_version");
    if (!version) return 2;
    puts(version());
    return 0;
}
"""


def dlopen(subject):
    """libotr.so and the soname are one library, loaded by either name (Thunderbird tries libotr.so first)."""
    problems = Problems()
    soname = subject.interface.soname
    paths = [os.path.join(subject.directory, name) for name in ("libotr.so", soname)]
    for path in paths:
        problems.unless(os.path.exists(path), f"no {path}")
    if not problems:
        problems.same("libotr.so", os.path.realpath(paths[0]), os.path.realpath(paths[1]))
    program = os.path.join(subject.work, "dlopen")
    done = subject.compile(DLOPEN, "-o", program, "-ldl")
    problems.unless(done.returncode == 0, done.stderr)
    for name in ("libotr.so", soname):
        said = command_output([program, name], env=subject.environment)
        problems.unless(said.stdout.strip() in subject.interface.versions, f"{name}: {said.stdout}{said.stderr}")
    return problems


def plugin(subject):
    """A plugin linked with -lotr alone, that uses gcry_strerror and gcry_error_from_errno, loads (BitlBee 3.0 to 3.2.2)."""
    problems = Problems()
    output = os.path.join(subject.work, "plugin.so")
    source = subject.write("plugin.c", "#include <libotr/proto.h>\n#include <libotr/userstate.h>\n"
                           "extern char " + ", ".join(f"{name}_[] __asm__(\"{name}\")" for name in HELPERS) + ";\n"
                           "void *use[] = { " + "".join(f"{name}_, " for name in HELPERS) + "(void *)otrl_userstate_create };\n")
    done = command_output(["gcc", "-shared", "-fPIC", f"-I{subject.headers}", source, "-o", output, *subject.link()])
    problems.unless(done.returncode == 0, done.stderr)
    host = os.path.join(subject.work, "host")
    done = subject.compile('#include <dlfcn.h>\n#include <stdio.h>\nint main(int argc, char **argv) {\n'
                           '    if (dlopen(argv[argc - 1], RTLD_NOW)) return 0;\n    puts(dlerror());\n    return 1;\n}\n',
                           "-o", host, "-ldl")
    problems.unless(done.returncode == 0, done.stderr)
    problems.runs([host, output], env=subject.environment)
    return problems
