"""Compares cmd/packaging/callboard.conf with what the program takes.

Usage: example_config.py, with CALLBOARD_PROGRAM in the environment.
"""

import re
import unittest
import urllib.request

from program_help import TOP, complaint, options_of, section_keys, serve

FILE = TOP / "cmd/packaging/callboard.conf"
# A setting that is switched off; a comment for people has a space first.
SETTING = re.compile(r"#(\[.*\]|[a-z-]+ = .*)")


def switched_on():
    """Returns the file's lines with every setting switched on."""
    lines = FILE.read_text(encoding="utf-8").splitlines()
    return [match[1] if (match := SETTING.fullmatch(line)) else line
            for line in lines]


def settings():
    """Returns {name: value} of the file by the kind of section: "" of none."""
    found, kind = {"": {}}, ""
    for line in switched_on():
        if line.startswith("["):
            kind = line[1:].partition(" ")[0]
            assert kind not in found, line
            found[kind] = {}
        elif line and not line.startswith("#"):
            name, value = line.split(" = ")
            assert name not in found[kind], name
            found[kind][name] = value
    return found


class ExampleConfig(unittest.TestCase):
    def test_all_settings_are_there_and_no_others(self):
        wanted = options_of("serve").keys() - {"config"}
        self.assertEqual(sorted(settings()[""]), sorted(wanted))

    def test_all_keys_of_sections_are_there_and_no_others(self):
        said = {kind: sorted(values) for kind, values in settings().items()
                if kind}
        self.assertEqual(said, {kind: sorted(keys)
                                for kind, keys in section_keys().items()})

    def test_values_are_the_defaults(self):
        for name, option in options_of("serve").items():
            value = settings()[""].get(name)
            with self.subTest(setting=name):
                if option.default and option.default != "none":
                    self.assertEqual(value, option.default)
                elif not option.takes:
                    self.assertEqual(value, "false")

    def test_it_is_understood_with_every_setting_on(self):
        # Words come behind the file: who complains of them has taken it.
        self.assertEqual(
            complaint("\n".join(switched_on()) + "\n", "--loops", "many"),
            "callboard: --loops: 'many' is not a number; it takes 0 to 256")

    def test_a_wrong_line_in_it_would_be_noticed(self):
        lines = switched_on()
        lines[lines.index("loops = 0")] = "loops = x"
        self.assertIn("loops: 'x' is not a number", complaint("\n".join(lines)))

    def test_as_it_is_it_changes_nothing(self):
        lines = FILE.read_text(encoding="utf-8").splitlines()
        self.assertEqual([x for x in lines if x and x[0] != "#"], [])
        with serve("--config", str(FILE)) as url:
            with urllib.request.urlopen(url + "/health", timeout=20) as answer:
                self.assertEqual(answer.status, 200)


if __name__ == "__main__":
    unittest.main()
