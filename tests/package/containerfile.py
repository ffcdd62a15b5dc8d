"""Checks the Containerfile as far as that goes without an engine.

Usage: containerfile.py, with CALLBOARD_PROGRAM in the environment.
"""

import json
import re
import subprocess
import unittest

from packaging_files import TOP, dev_packages, read, stages, unit, values
from program_help import options_of, run, serve


def installed(stage):
    """Returns what a stage has apt-get install."""
    return [word for line in values(stage, "RUN")
            for words in re.findall(r"apt-get install ([^&]*)", line)
            for word in words.split() if not word.startswith("-")]


class Containerfile(unittest.TestCase):
    def setUp(self):
        self.build, self.image = stages()

    def one(self, name):
        found = values(self.image, name)
        self.assertEqual(len(found), 1, name)
        return found[0]

    def test_bases_name_no_host(self):
        for stage in (self.build, self.image):
            base = stage[0][1].split()[0]
            self.assertRegex(base, r"^debian:\d+-slim$")

    def test_what_is_copied_is_there(self):
        copied = [line.split() for line in values(self.build, "COPY")]
        self.assertGreater(len(copied), 5)
        for *sources, target in copied:
            for source in sources:
                self.assertTrue((TOP / source).exists(), source)
            if len(sources) == 1:
                self.assertEqual(sources[0], target)

    def test_what_the_build_reads_is_copied(self):
        copied = {word for line in values(self.build, "COPY")
                  for word in line.split()}
        text = (TOP / "CMakeLists.txt").read_text(encoding="utf-8")
        folders = set(re.findall(r"add_subdirectory\((\w+)\)", text)) - {"tests"}
        self.assertGreater(len(folders), 3)
        package = (TOP / "cmake/callboard_package.cmake").read_text(
            encoding="utf-8")
        files = set(re.findall(r"\$\{PROJECT_SOURCE_DIR\}/(\w+(?:\.md)?)\b",
                               package))
        self.assertIn("LICENSE", files)
        self.assertEqual(
            ({"CMakeLists.txt", "CMakePresets.json", "clients/js"} | folders
             | files) - copied,
            set())

    def test_the_build_has_the_packages_of_dev(self):
        wanted = [x for name in ("build", "package", "page")
                  for x in dev_packages(name + "_packages")]
        self.assertEqual(sorted(installed(self.build)), sorted(wanted))

    def test_the_image_has_the_package_and_nothing_else(self):
        copied = values(self.image, "COPY")
        self.assertEqual(len(copied), 1)
        origin, source, target = copied[0].split()
        self.assertEqual(self.build[0][1].split()[1:], ["AS", "build"])
        self.assertEqual(origin, "--from=build")
        self.assertEqual(source.rpartition("/")[2], "callboard_*.deb")
        self.assertEqual(installed(self.image), [target + "callboard_*.deb"])
        self.assertIn("cpack", values(self.build, "RUN")[-1])

    def test_it_runs_as_the_service_s_user(self):
        user = self.one("USER")
        self.assertEqual([user], unit()["Service"]["User"])
        names = [name for name, _ in self.image]
        self.assertLess(max(i for i, name in enumerate(names) if name == "RUN"),
                        names.index("USER"))
        self.assertIn(f"install -d -o {user} -g {user}",
                      " ".join(values(self.image, "RUN")))

    def test_it_starts_what_the_package_has(self):
        program = json.loads(self.one("ENTRYPOINT"))
        words = json.loads(self.one("CMD"))
        self.assertEqual(" ".join(program + words),
                         unit()["Service"]["ExecStart"][0])
        self.assertEqual(words[words.index("--config") + 1],
                         read("conffiles").strip())
        self.assertEqual(self.one("STOPSIGNAL"), "SIGTERM")

    def test_its_environment_is_understood(self):
        variable, value = self.one("ENV").split("=")
        known = {"CALLBOARD_" + name.upper().replace("-", "_"): name
                 for name in options_of("serve")}
        # Words come behind the environment: who complains of them has it taken.
        result = run("serve", "--" + known[variable], value, "--loops", "many")
        self.assertIn("--loops", result.stderr)
        self.assertEqual(value.rpartition(":")[2], self.one("EXPOSE"))

    def test_its_store_is_the_service_s(self):
        self.assertEqual(self.one("VOLUME"),
                         "/var/lib/" + unit()["Service"]["StateDirectory"][0])

    def probe(self, url):
        """Returns the exit code of the probe for a server at `url`."""
        line = self.one("HEALTHCHECK")
        command = json.loads(line[line.index("CMD ") + 4:])
        self.assertEqual(command[:2], ["bash", "-c"])
        port = url.rpartition(":")[2]
        self.assertIn("/127.0.0.1/" + self.one("EXPOSE"), command[2])
        command[2] = command[2].replace(self.one("EXPOSE"), port)
        return subprocess.run(command, stderr=subprocess.DEVNULL, timeout=20,
                              check=False).returncode

    def test_the_probe_tells_who_serves(self):
        with serve() as url:
            self.assertEqual(self.probe(url), 0)
        self.assertNotEqual(self.probe(url), 0)


if __name__ == "__main__":
    unittest.main()
