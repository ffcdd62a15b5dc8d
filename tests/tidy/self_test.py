"""Shows that tidy.py finds each kind of violation, and nothing in good code."""

import tempfile
import unittest
from pathlib import Path

from tidy import LINES_MAX, Tidy

GOOD = {
    "README.md": "# A project\n",
    "messages/README.md": "# Messages\n",
    "messages/topic.hpp": "#pragma once\n\n#include <string>\n",
    "messages/topic.cpp": "#include <callboard/messages/topic.hpp>\n",
    "actors/README.md": "# Actors\n",
    "actors/broker.hpp":
        "#pragma once\n\n#include <callboard/messages/topic.hpp>\n",
    "net/boost/README.md": "# Boost\n",
    "net/boost/asio.hpp":
        "/// All of Boost.\n#pragma once\n\n#include <boost/asio.hpp>\n",
    "tests/support/README.md": "# Support\n",
    "tests/support/test.hpp":
        "#pragma once\n\n#include <caf/test/dsl.hpp>\n",
}


class SelfTest(unittest.TestCase):
    def problems(self, changes):
        with tempfile.TemporaryDirectory() as top:
            for path, text in {**GOOD, **changes}.items():
                if text is None:
                    continue
                file = Path(top, path)
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text, encoding="utf-8")
            return Tidy(top).run()

    def expect(self, path, line, words, text, **more):
        found = self.problems({path: text, **more})
        self.assertEqual(len(found), 1, found)
        self.assertTrue(found[0].startswith(f"{path}:{line}: "), found[0])
        self.assertIn(words, found[0])

    def source(self, path, line, words, code):
        """Expects a violation in `line` of a source in a folder with README."""
        readme = path.rpartition("/")[0] + "/README.md"
        self.expect(path, line, words, code, **{readme: "# Here\n"})

    def test_good(self):
        self.assertEqual(self.problems({}), [])

    def test_layers(self):
        self.source("messages/a.cpp", 1, "may not include actors/",
                    "#include <callboard/actors/broker.hpp>\n")
        self.source("actors/a.cpp", 2, "may not include net/",
                    "#include <string>\n#include <callboard/net/loop.hpp>\n")
        self.source("net/a.cpp", 1, "may not include cmd/",
                    "#include <callboard/cmd/options.hpp>\n")

    def test_own_header_first(self):
        self.expect("messages/topic.cpp", 1, "own header first",
                    "#include <string>\n"
                    "#include <callboard/messages/topic.hpp>\n")

    def test_pragma_once(self):
        self.source("actors/a.hpp", 1, "#pragma once", "#include <string>\n")
        self.source("actors/a.hpp", 1, "takes no namespace",
                    "#pragma once\nusing namespace std;\n")

    def test_includes(self):
        self.source("net/a.cpp", 1, "Boost", "#include <boost/asio.hpp>\n")
        self.source("actors/a.cpp", 1, "I/O", "#include <spdlog/spdlog.h>\n")
        self.source("actors/a.cpp", 1, "system", "#include <sys/socket.h>\n")
        self.source("actors/a.cpp", 1, "thread", "#include <thread>\n")
        self.source("messages/a.cpp", 1, "no actors", "#include <caf/all.hpp>\n")
        self.source("net/a.cpp", 1, "cmd/", "#include <CLI/CLI.hpp>\n")
        self.source("net/a.cpp", 1, "<callboard/", '#include "b.hpp"\n')
        self.source("tests/net/a.cpp", 1, "support/test.hpp",
                    "#include <caf/test/dsl.hpp>\n")

    def test_calls(self):
        for path, words, code in [
            ("tests/actors/a.cpp", "sleep", "sleep_for(1s);"),
            ("tests/net/a.cpp", "one thread", "std::thread t;"),
            ("tests/net/a.cpp", "clock", "auto t = steady_clock::now();"),
            ("actors/a.cpp", "clock", "auto t = system_clock::now();"),
            ("net/a.cpp", "print", "std::cout << 1;"),
            ("net/a.cpp", "print", 'printf("x");'),
            ("cmd/a.cpp", "random", "auto x = rand();"),
            ("cmd/a.cpp", "size", "strcpy(a, b);"),
            ("net/a.cpp", "memory", "auto* x = malloc(1);"),
            ("net/a.cpp", "process", "std::abort();"),
            ("actors/a.cpp", "block", "std::this_thread::sleep_for(x);"),
        ]:
            with self.subTest(code=code):
                self.source(path, 2, words, "\n" + code + "\n")

    def test_comments_and_literals_are_no_code(self):
        readme = {"net/README.md": "# Net\n"}
        code = ('// std::cout\n/* rand()\n malloc(1) */\n'
                'auto a = "std::cout \\" rand()";\n'
                'auto b = R"(abort())";\nauto c = \'"\';\n'
                'auto n = snprintf(p, 1\'000, "x");\n')
        self.assertEqual(self.problems({"net/a.cpp": code, **readme}), [])
        self.source("net/a.cpp", 8, "print", code + "std::cout << 1;\n")

    def test_text(self):
        self.source("net/a.cpp", 1, "left open", "// TO" "DO: more\n")
        self.source("tests/net/a.cpp", 1, "off", "CAF_TEST_DIS" "ABLED(x) {}\n")
        self.source("tests/e2e/a.mjs", 1, "switched off", "test.skip('x')\n")
        self.source("net/a.cpp", 1, "one machine", "// /ro" "ot/x\n")
        self.source("net/a.cpp", 1, "columns", "// " + "x" * 78 + "\n")
        self.source("net/a.cpp", LINES_MAX + 1, "limit", "\n" * (LINES_MAX + 1))

    def test_readme(self):
        found = self.problems({"messages/README.md": None})
        self.assertEqual(found, ["messages:1: the folder has no README.md"])
        corpus = {"tests/fuzz/README.md": "# F\n", "tests/fuzz/corpus/a/1": "x"}
        self.assertEqual(self.problems(corpus), [])


if __name__ == "__main__":
    unittest.main()
