"""Makes the Debian packages of a build, and looks into them.

Usage: debian.py BUILD WORK: BUILD is the build's folder, WORK one to fill; with
CALLBOARD_PROGRAM in the environment.
"""

import os
import re
import shutil
import subprocess
import sys
import unittest
import urllib.request
from pathlib import Path

from packaging_files import FOLDER, TOP, read, unit
from program_help import ENVIRONMENT, serve

BUILD, WORK = Path(sys.argv[1]), Path(sys.argv[2])
LIBRARIES = ["messages", "actors", "store", "net", "client"]


def output_of(*command, **more):
    return subprocess.run([str(x) for x in command], check=True, text=True,
                          stdout=subprocess.PIPE, timeout=60, **more).stdout


class Package:
    """A package, taken apart."""

    def __init__(self, file):
        self.file = file
        self.files, self.control = WORK / file.stem, WORK / (file.stem + "-control")
        output_of("dpkg-deb", "--extract", file, self.files)
        output_of("dpkg-deb", "--control", file, self.control)

    def field(self, name):
        return output_of("dpkg-deb", "--field", self.file, name).strip()

    def depends(self):
        """Returns the names of what it depends on."""
        return [x.split()[0] for x in self.field("Depends").split(",")]

    def contents(self):
        """Returns {path: (mode, owner)} of its files."""
        rows = [line.split() for line in output_of(
            "dpkg-deb", "--contents", self.file).splitlines()]
        return {row[5][1:]: (row[0], row[1]) for row in rows
                if not row[0].startswith("d")}


def setUpModule():
    for tool in ("cpack", "dpkg-deb", "dpkg-shlibdeps", "file"):
        if shutil.which(tool) is None:
            sys.exit(f"{tool} is missing; run ./dev bootstrap")
    shutil.rmtree(WORK, ignore_errors=True)
    WORK.mkdir(parents=True)
    subprocess.run(["cpack", "--config", BUILD / "CPackConfig.cmake",
                    "-B", WORK], cwd=WORK, check=True, timeout=600)


def package(name):
    found = list(WORK.glob(name + "_*.deb"))
    assert len(found) == 1, found
    return Package(found[0])


class Both(unittest.TestCase):
    def test_fields(self):
        project = (TOP / "CMakeLists.txt").read_text(encoding="utf-8")
        version = re.search(r"^  VERSION (\S+)$", project, re.M)[1]
        architecture = output_of("dpkg", "--print-architecture").strip()
        for name in ("callboard", "callboard-dev"):
            one = package(name)
            self.assertEqual(one.file.name,
                             f"{name}_{version}_{architecture}.deb")
            self.assertEqual(one.field("Package"), name)
            self.assertEqual(one.field("Version"), version)
            self.assertEqual(one.field("Architecture"), architecture)
            self.assertRegex(one.field("Maintainer"), r"^[\w ]+ <\S+@\S+>$")
            summary, _, text = one.field("Description").partition("\n")
            self.assertRegex(summary, r"^[a-z][^\n]{20,79}$")
            self.assertIn("real-time", summary)
            self.assertGreater(len(text), 100)

    def test_owners_and_modes(self):
        for name in ("callboard", "callboard-dev"):
            for path, (mode, owner) in package(name).contents().items():
                self.assertEqual(owner, "root/root", path)
                wanted = ("-rwxr-xr-x" if path.startswith("/usr/bin/")
                          else "-rw-r--r--")
                self.assertEqual(mode, wanted, path)

    def test_licenses(self):
        for name in ("callboard", "callboard-dev"):
            file = package(name).files / "usr/share/doc" / name / "copyright"
            self.assertIn("Apache License", file.read_text(encoding="utf-8"))

    def test_licenses_of_others_in_the_page(self):
        file = (package("callboard").files
                / "usr/share/doc/callboard/page-licenses.txt")
        self.assertRegex(file.read_text(encoding="utf-8"),
                         "^The script of this page holds (no )?code of others")


class Callboard(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.package = package("callboard")
        cls.program = cls.package.files / "usr/bin/callboard"

    def test_contents(self):
        self.assertEqual(sorted(self.package.contents()), [
            "/etc/callboard/callboard.conf",
            "/usr/bin/callboard",
            "/usr/lib/systemd/system/callboard.service",
            "/usr/share/doc/callboard/CHANGELOG.md",
            "/usr/share/doc/callboard/cluster.md",
            "/usr/share/doc/callboard/copyright",
            "/usr/share/doc/callboard/operating.md",
            "/usr/share/doc/callboard/page-licenses.txt",
            "/usr/share/doc/callboard/protocol.md",
        ])

    def test_dependencies(self):
        names = self.package.depends()
        for wanted in ("adduser", "libc6", "libstdc++6", "libsqlite3-0",
                       r"libssl3(t64)?", r"libspdlog1\S*", "zlib1g"):
            pattern = wanted.replace("++", r"\+\+")
            self.assertTrue(any(re.fullmatch(pattern, x) for x in names),
                            f"{wanted} is not in {names}")
        self.assertEqual([x for x in names if x.endswith("-dev")], [])

    def test_control(self):
        self.assertEqual(
            (self.package.control / "conffiles").read_text(encoding="utf-8"),
            "/etc/callboard/callboard.conf\n")
        for name in ("postinst", "prerm", "postrm"):
            script = self.package.control / name
            self.assertEqual(script.read_text(encoding="utf-8"), read(name))
            self.assertTrue(os.access(script, os.X_OK), name)
            output_of("sh", "-n", script)

    def test_files_are_those_of_the_tree(self):
        for path, origin in (
                ("etc/callboard/callboard.conf", FOLDER / "callboard.conf"),
                ("usr/lib/systemd/system/callboard.service",
                 FOLDER / "callboard.service"),
                ("usr/share/doc/callboard/operating.md",
                 TOP / "docs/operating.md")):
            self.assertEqual((self.package.files / path).read_bytes(),
                             origin.read_bytes(), path)

    def test_the_unit_starts_what_is_in_it(self):
        words = unit()["Service"]["ExecStart"][0].split()
        paths = [x for x in words if x.startswith("/")]
        self.assertEqual(len(paths), 2)
        self.assertLessEqual(set(paths), self.package.contents().keys())

    def test_the_program_says_its_version(self):
        said = output_of(self.program, "--version", env=ENVIRONMENT)
        self.assertEqual(said.strip(),
                         "callboard " + self.package.field("Version"))

    def test_the_program_is_stripped(self):
        self.assertRegex(output_of("file", self.program), r"ELF .*, stripped")

    def test_the_program_serves(self):
        config = self.package.files / "etc/callboard/callboard.conf"
        with serve("--config", str(config), program=str(self.program)) as url:
            for path in ("/ready", "/", "/app.js", "/licenses.txt"):
                with urllib.request.urlopen(url + path, timeout=20) as answer:
                    self.assertEqual(answer.status, 200, path)

    def test_systemd_takes_the_unit(self):
        """Where systemd is; package.service looks at the unit in any case."""
        if shutil.which("systemd-analyze") is None:
            print("systemd-analyze is not here: the unit was not shown to it")
            return
        # It wants to find the program where the unit says.
        copy = WORK / "callboard.service"
        copy.write_text(read("callboard.service").replace(
            "/usr/bin/callboard", str(self.program)), encoding="utf-8")
        result = subprocess.run(
            ["systemd-analyze", "verify", "--man=no", copy], text=True,
            capture_output=True, timeout=60, check=False)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertNotIn(copy.name + ":", result.stderr)


class CallboardDev(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.package = package("callboard-dev")

    def test_contents(self):
        paths = self.package.contents()
        for name in LIBRARIES:
            self.assertTrue(any(x.endswith(f"/libcallboard_{name}.a")
                                for x in paths), name)
        self.assertIn("/usr/include/callboard/net/server.hpp", paths)
        self.assertTrue(any(x.endswith("/cmake/callboard/callboardConfig.cmake")
                            for x in paths))
        self.assertEqual([x for x in paths if x.startswith(("/etc", "/usr/bin"))],
                         [])
        self.assertEqual([x for x in paths if "/callboard/cmd/" in x], [])

    def test_dependencies(self):
        # What callboard_dependencies.cmake looks for, but for CAF.
        self.assertEqual(sorted(self.package.depends()), [
            "libboost-dev", "libmsgpack-cxx-dev", "libspdlog-dev",
            "libsqlite3-dev", "libssl-dev", "zlib1g-dev"])
        text = (TOP / "cmake/callboard_dependencies.cmake").read_text(
            encoding="utf-8")
        self.assertEqual(
            sorted(re.findall(r"find_package\((\w+)", text)),
            ["Boost", "CAF", "OpenSSL", "SQLite3", "Threads", "ZLIB", "msgpack",
             "spdlog"])

    def test_no_path_of_the_build(self):
        for file in self.package.files.glob("usr/lib*/**/cmake/callboard/*"):
            text = file.read_text(encoding="utf-8")
            self.assertNotIn(str(BUILD), text, file.name)
            self.assertNotIn(str(TOP), text, file.name)
            if file.name == "callboardConfig.cmake":
                self.assertIn('set(CALLBOARD_CAF_HINT "")', text)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
