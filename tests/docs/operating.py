"""Compares docs/operating.md with the program, in both directions.

Usage: operating.py, with CALLBOARD_PROGRAM in the environment.
"""

import re
import tempfile
import unittest
import urllib.request

from program_help import (TOP, commands_of, help_of, options_of, section,
                          section_keys, serve, tables)

PAGE = (TOP / "docs/operating.md").read_text(encoding="utf-8")
PROTOCOL = (TOP / "docs/protocol.md").read_text(encoding="utf-8")

# Tables of the section "Other commands", and whose options they have.
CLIENTS = ["sub", "pub", "request", "respond"]
COMMAND_TABLES = {
    "### Clients": [(x,) for x in CLIENTS],
    "### The store": [("store", x) for x in commands_of("store")],
    "### Tokens": [("token",)],
    "### Operators": [("top",)],
    "### Pools of clients": [("pool-size",)],
    "### Load": [("bench", x) for x in commands_of("bench")],
}

# Options of other programs that the page names.
FOREIGN = {"now"}


def plain(cell):
    return cell.replace("`", "")


def option_of(cell):
    """`--listen HOST:PORT` becomes ("listen", "HOST:PORT")."""
    name, _, takes = plain(cell).partition(" ")
    assert name.startswith("--"), cell
    return name[2:], takes


def ends(text):
    """Returns the first and the last value in a cell, as help writes them."""
    found = re.findall(r"\d[\d,]*(?:ms|s|m|h|B|KiB|MiB|GiB)?\b", text)
    return [x.replace(",", "") for x in (found[0], found[-1])] if found else []


class ServeOptions(unittest.TestCase):
    def setUp(self):
        self.options = options_of("serve")
        self.rows = {option_of(row[0])[0]: row
                     for row in tables(section(PAGE, "## Options"))[0]}
        self.assertGreater(len(self.rows), 40)

    def test_all_are_there_and_no_others(self):
        self.assertEqual(sorted(self.rows), sorted(self.options))

    def test_names_in_the_environment(self):
        for name, row in self.rows.items():
            variable = "CALLBOARD_" + name.upper().replace("-", "_")
            self.assertEqual(plain(row[1]), variable)

    def test_values(self):
        for name, row in self.rows.items():
            self.assertEqual(option_of(row[0])[1], self.options[name].takes)

    def test_defaults(self):
        for name, row in self.rows.items():
            with self.subTest(option=name):
                default = self.options[name].default
                self.assertTrue(row[2])
                if default:
                    self.assertEqual(plain(row[2]), default)
                elif not self.options[name].takes:
                    self.assertEqual(row[2], "off")

    def test_bounds(self):
        for name, row in self.rows.items():
            bounds = self.options[name].bounds
            with self.subTest(option=name):
                if between := re.match(r"(?:port )?(\w+) to (\w+)", bounds):
                    self.assertEqual(ends(row[3]), list(between.groups()))
                elif name != "config":
                    self.assertIn(bounds, plain(row[3]))


class Sections(unittest.TestCase):
    def test_each_kind_has_a_table_of_its_keys(self):
        found = [sorted(plain(row[0]) for row in rows) for rows in tables(PAGE)]
        kinds = section_keys()
        self.assertIn("topic", kinds)
        for kind, keys in kinds.items():
            self.assertIn(sorted(keys), found, kind)


class OtherCommands(unittest.TestCase):
    def setUp(self):
        self.page = section(PAGE, "## Other commands")

    def test_all_are_there_and_no_others(self):
        said = [plain(row[0]) for row in tables(self.page)[0]]
        self.assertEqual(sorted(said), sorted(commands_of()))

    def test_every_command_has_a_table(self):
        having = {command[0] for commands in COMMAND_TABLES.values()
                  for command in commands}
        self.assertEqual(having | {"serve"}, set(commands_of()))

    def test_options(self):
        for heading, commands in COMMAND_TABLES.items():
            rows = tables(section(self.page, heading))[0]
            names = {command[-1] for command in commands}
            for row in rows:
                of = row[0].split(", ")
                self.assertTrue(of == ["all"] or names.issuperset(of), row)
            for command in commands:
                with self.subTest(command=command):
                    self.expect_options(command, [
                        row for row in rows if row[0] == "all"
                        or command[-1] in row[0].split(", ")])

    def expect_options(self, command, rows):
        options = options_of(*command)
        said = [option_of(row[1])[0] for row in rows]
        self.assertEqual(sorted(said), sorted(options))
        for row in rows:
            option = options[option_of(row[1])[0]]
            if option.default:
                self.assertEqual(plain(row[2]), option.default, row)


class Mentions(unittest.TestCase):
    def test_options_elsewhere_in_the_page(self):
        known = {"help", "version"} | FOREIGN
        for command in [("serve",), *(command for commands
                                      in COMMAND_TABLES.values()
                                      for command in commands)]:
            known |= options_of(*command).keys()
        said = set(re.findall(r"--([a-z]+(?:-[a-z]+)*)(?![-a-z])", PAGE))
        self.assertEqual(said - known, set())

    def test_commands_elsewhere_in_the_page(self):
        said = set(re.findall(r"\bcallboard ([a-z]+(?:-[a-z]+)*) (?=--|http|URL)", PAGE))
        self.assertLessEqual({"serve", "sub"}, said)
        self.assertEqual(said - set(commands_of()), set())

    def test_signals_are_in_the_help(self):
        for name in re.findall(r"SIG[A-Z]+", help_of("serve")):
            self.assertIn(name, section(PAGE, "## Signals and exit codes"))


class Metrics(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with tempfile.TemporaryDirectory() as folder:
            cls.read_metrics(folder)

    @classmethod
    def read_metrics(cls, folder):
        config = folder + "/callboard.conf"
        with open(config, "w", encoding="utf-8") as file:
            file.write("[action sum]\nbreaker = on\n")
        with serve("--store-dir", folder, "--config", config,
                   "--cluster-listen", "127.0.0.1:0") as url:
            # An answer counts when it was given.
            for path in ("/health", "/metrics", "/metrics"):
                with urllib.request.urlopen(url + path, timeout=20) as answer:
                    text = answer.read().decode()
        cls.types, cls.labels = {}, {}
        for line in text.splitlines():
            if line.startswith("# TYPE "):
                family, kind = line.split()[2:]
                cls.types[family] = kind
                cls.labels[family] = set()
            elif not line.startswith("#"):
                cls.labels[family] |= set(re.findall(r'[{,](\w+)="', line))

    def setUp(self):
        page = section(PAGE, "## Metrics")
        self.names = set(re.findall(r"\b(?:callboard|caf)_\w+", page))
        # Those that the text in front of the tables excepts from the rule.
        self.without_loop = set(re.findall(r"callboard_\w+",
                                           page.partition("\n|")[0]))
        self.of_loops, *self.of_the_node = tables(page)
        self.assertEqual(len(self.of_the_node), 2, "the store, the cluster")

    def test_all_are_there_and_no_others(self):
        self.assertGreater(len(self.types), 40)
        self.assertEqual(sorted(self.names), sorted(self.types))

    def test_mentions_elsewhere(self):
        said = set(re.findall(r"\bcallboard_[a-z]\w+", PAGE))
        self.assertEqual(said - self.types.keys(), set())

    def test_types_and_labels(self):
        for rows, own in ((self.of_loops, {"loop"}),
                          *((rows, set()) for rows in self.of_the_node)):
            for row in rows:
                for name, label in re.findall(
                        r"`(callboard_\w+)(?:\{([\w,]+)\})?`", row[0] + row[2]):
                    with self.subTest(metric=name):
                        self.assertEqual(row[1], self.types[name])
                        labels = set() if name in self.without_loop else own
                        self.assertEqual(self.labels[name] - {"le"},
                                         labels | set(filter(None, label.split(","))))


class Codes(unittest.TestCase):
    def errors_of_the_program(self):
        text = (TOP / "messages/errc.cpp").read_text(encoding="utf-8")
        return {number: (name, temporary) for number, name, temporary
                in re.findall(r'errc_info\{errc::\w+, (\d+), "(\w+)", (\w+),',
                              text)}

    def close_codes_of_the_program(self):
        header = (TOP / "messages/close_code.hpp").read_text(encoding="utf-8")
        source = (TOP / "messages/close_code.cpp").read_text(encoding="utf-8")
        numbers = dict(re.findall(r"^  (\w+) = (\d+),", header, re.M))
        return {numbers[code]: name for code, name in re.findall(
            r'close_code_info\{close_code::(\w+), "(\w+)"', source)}

    def rows(self, page, heading):
        return {row[0]: [plain(cell) for cell in row[1:]]
                for row in tables(section(page, heading))[0]}

    def test_errors(self):
        errors = self.errors_of_the_program()
        self.assertGreater(len(errors), 20)
        said = self.rows(PAGE, "### Errors")
        self.assertEqual({code: cells[0] for code, cells in said.items()},
                         {code: name for code, (name, _) in errors.items()})

    def test_errors_of_the_protocol(self):
        said = self.rows(PROTOCOL, "## Errors")
        self.assertEqual(
            {code: (cells[0], "true" if cells[1] == "yes" else "false")
             for code, cells in said.items()}, self.errors_of_the_program())

    def test_close_codes(self):
        codes = self.close_codes_of_the_program()
        self.assertGreater(len(codes), 15)
        said = self.rows(PAGE, "### Close codes")
        self.assertEqual({code: cells[0] for code, cells in said.items()}, codes)

    def test_close_codes_of_the_protocol(self):
        codes = self.close_codes_of_the_program()
        said = {code: cells[0] for code, cells
                in self.rows(PROTOCOL, "## Close codes").items()}
        self.assertLessEqual(said.items(), codes.items())
        # The others are the standard's, and nothing that a server sends.
        self.assertEqual({code for code in codes if code not in said},
                         {"1000", "1001", "1005", "1006"})


if __name__ == "__main__":
    unittest.main()
