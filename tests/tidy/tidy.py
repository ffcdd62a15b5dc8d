"""Checks what the compiler does not: layers, includes, calls, lengths, READMEs.

    tidy.py FOLDER

Prints `path:line: what is wrong` for each violation and exits with 1 if there
is one. README.md says why the rules are as they are.
"""

import os
import re
import sys
from pathlib import Path

# Each may include itself and those in front of it.
LAYERS = ["messages", "actors", "store", "net", "cmd"]
UNIT_TESTS = [f"tests/{layer}" for layer in LAYERS]
LIBRARIES = ["messages", "actors", "store", "net"]

LINES_MAX = 400
COLUMNS_MAX = 80
# Files that are one thing although they are longer, and why.
LONG_FILES = {
    # One class; what it does is in a dozen sources.
    "actors/connection.hpp": 415,
}

# Folders that are not ours, made by a build, or data that speaks for itself.
SKIPPED_FOLDERS = {"build", "cache", "dist", "node_modules", "__pycache__"}
NO_README = re.compile(r"^tests/(fuzz/corpus|consumer/project)(/|$)")

# (where, what an include may not be, why); the path itself is exempt if it
# begins with one of `but`.
BANNED_INCLUDES = [
    (["messages", "actors", "store", "net", "cmd", "tests"], r"<boost/",
     "Boost is included through <callboard/net/boost/…> only",
     ["net/boost/", "tests/bench/", "tests/fuzz/ws_parser.cpp"]),
    (["messages", "actors"], r"<callboard/net/boost|<(spdlog|openssl)/|<zlib",
     "this layer knows no I/O library", []),
    (["messages", "actors", "net", "cmd"], r"<sqlite3",
     "only store/ knows the database", []),
    (["messages", "actors"], r"<(sys/|netinet/|arpa/|unistd|fcntl|poll|netdb)",
     "this layer makes no system calls", []),
    (["messages", "actors"], r"<(thread|mutex|condition_variable|fstream|"
     r"iostream)>", "this layer has no thread, lock, file or console", []),
    (["messages"], r"<caf/(all|actor|event_based|scheduled|typed_|io/)",
     "messages/ holds values, no actors", []),
    (["messages", "actors", "store", "net", "tests"], r"<CLI/",
     "only cmd/ parses command lines", []),
    (["messages", "actors", "store", "net", "cmd", "tests"], r"<caf/test/",
     "CAF's test DSL comes from support/test.hpp", ["tests/support/"]),
    (LIBRARIES, r'"', "our headers are included as <callboard/…>", []),
]

# (where, what code may not contain, why, but)
BANNED_CODE = [
    (UNIT_TESTS, r"\b(sleep_for|sleep_until|u?sleep|nanosleep)\s*\(",
     "unit suites do not sleep; advance the virtual clock", []),
    (UNIT_TESTS, r"\bstd::(thread|jthread|async)\b",
     "unit suites have one thread", []),
    (UNIT_TESTS + ["messages", "actors"],
     r"\b(system|steady|high_resolution)_clock::now\b|\bgettimeofday\s*\(|"
     r"\bclock_gettime\s*\(", "time comes from the actor's clock", []),
    (LIBRARIES, r"\bstd::(cout|cerr|clog)\b|(?<!n)\bprintf\s*\(|"
     r"\bfprintf\s*\(|\bputs\s*\(", "libraries log, they do not print", []),
    (LAYERS, r"\b(std::)?s?rand\s*\(", "use <random>", []),
    (LAYERS, r"\b(strcpy|strcat|sprintf|vsprintf|gets|strtok)\s*\(",
     "the buffer's size is unknown to it", []),
    (LAYERS, r"\b(malloc|calloc|realloc)\s*\(",
     "memory belongs to a C++ object",
     ["net/ws_parser.cpp"]),  # one buffer that realloc often grows in place
    (LIBRARIES, r"(?<![\w:.>])(std::)?_?(exit|abort|quick_exit)\s*\(",
     "a library does not end its process", []),
    (["actors"], r"\b(sleep_for|sleep_until|usleep)\s*\(",
     "an actor does not block", []),
]

# (where, what no line may contain, why). Written so as not to find themselves.
BANNED_TEXT = [
    (r"", r"\b(TO" r"DO|FIX" r"ME|XX" r"X|HA" r"CK)\b", "left open"),
    (r"^tests/.*\.cpp$", r"\w*DIS" r"ABLED", "a test that is switched off"),
    (r"\.(js|mjs|ts)$", r"\.(skip|todo|only)\(",
     "a test that is switched off, or switches others off"),
    (r"", r"(?<![\w.])/(ro" r"ot|ho" r"me|wo" r"rk)/",
     "a path of one machine"),
]

TEXT_SUFFIXES = {".hpp", ".cpp", ".h", ".js", ".mjs", ".ts", ".py", ".sh",
                 ".cmake", ".txt", ".md", ".json", ".html", ".css", ""}
GENERATED = {"package-lock.json", "LICENSE"}


def under(path, folders):
    return any(path.startswith(f.rstrip("/") + "/") for f in folders)


def code_of(text):
    """Returns `text` with comments and literals blanked, line by line."""
    token = re.compile(
        r'//[^\n]*|/\*.*?\*/|R"(?P<mark>[^(\s]{0,16})\(.*?\)(?P=mark)"|'
        r'"(?:\\.|[^"\\\n])*"|(?<![0-9A-Fa-f])\'(?:\\.|[^\'\\\n])+\'', re.S)

    def blank(match):
        return re.sub(r"[^\n]", " ", match.group())

    return token.sub(blank, text)


class Tidy:
    def __init__(self, top):
        self.top = Path(top)
        self.problems = []

    def say(self, path, line, what):
        self.problems.append(f"{path}:{line}: {what}")

    def run(self):
        for folder, folders, names in os.walk(self.top):
            folders[:] = sorted(x for x in folders
                                if x not in SKIPPED_FOLDERS
                                and not x.startswith("."))
            here = Path(folder).relative_to(self.top).as_posix()
            if names and "README.md" not in names and not NO_README.match(here):
                self.say(here, 1, "the folder has no README.md")
            for name in sorted(names):
                self.check_file(name if here == "." else f"{here}/{name}")
        return self.problems

    def check_file(self, path):
        name = path.rpartition("/")[2]
        suffix = Path(name).suffix
        if suffix not in TEXT_SUFFIXES or name in GENERATED:
            return
        if NO_README.match(path):
            return
        try:
            text = (self.top / path).read_text(encoding="utf-8")
        except UnicodeDecodeError:
            self.say(path, 1, "not UTF-8")
            return
        self.check_text(path, text)
        if suffix in {".hpp", ".cpp", ".js", ".mjs", ".ts", ".py", ".sh"}:
            self.check_length(path, text)
        if suffix in {".hpp", ".cpp"}:
            self.check_columns(path, text)
            self.check_includes(path, text)
            self.check_code(path, text)

    def check_text(self, path, text):
        for number, line in enumerate(text.splitlines(), 1):
            for where, pattern, what in BANNED_TEXT:
                if re.search(where, path) and re.search(pattern, line):
                    self.say(path, number, what)

    def check_length(self, path, text):
        lines = text.count("\n")
        if lines > LONG_FILES.get(path, LINES_MAX):
            self.say(path, lines, f"{lines} lines; {LINES_MAX} are the limit: "
                     "look for the second thing in it")

    def check_columns(self, path, text):
        for number, line in enumerate(text.splitlines(), 1):
            if len(line) > COLUMNS_MAX and "http" not in line:
                self.say(path, number, f"over {COLUMNS_MAX} columns")

    def check_includes(self, path, text):
        includes = [(number, match.group(1))
                    for number, line in enumerate(text.splitlines(), 1)
                    if (match := re.match(r"#\s*include\s+(\S+)", line))]
        if path.endswith(".hpp"):
            first = re.search(r"^\s*#\s*(\w+)\s*(\w*)", code_of(text), re.M)
            if not first or first.groups() != ("pragma", "once"):
                self.say(path, 1, "a header begins with #pragma once")
            if re.search(r"^using namespace\b", code_of(text), re.M):
                self.say(path, 1, "a header takes no namespace for others")
        self.check_own_header(path, includes)
        layer = path.partition("/")[0]
        for number, include in includes:
            other = re.match(r"<callboard/(\w+)/", include)
            if layer in LAYERS and other and other.group(1) in LAYERS:
                if LAYERS.index(other.group(1)) > LAYERS.index(layer):
                    self.say(path, number,
                             f"{layer}/ may not include {other.group(1)}/")
            for where, pattern, why, but in BANNED_INCLUDES:
                if (under(path, where) and re.match(pattern, include)
                        and not path.startswith(tuple(but))):
                    self.say(path, number, why)

    def check_own_header(self, path, includes):
        own = path.removesuffix(".cpp") + ".hpp"
        if not path.endswith(".cpp") or not (self.top / own).exists():
            return
        forms = {f"<callboard/{own}>", f'"{own.rpartition("/")[2]}"',
                 f'"{own.partition("/")[2]}"'}
        if not includes or includes[0][1] not in forms:
            self.say(path, includes[0][0] if includes else 1,
                     "a source includes its own header first")

    def check_code(self, path, text):
        for number, line in enumerate(code_of(text).splitlines(), 1):
            for where, pattern, why, but in BANNED_CODE:
                if (under(path, where) and re.search(pattern, line)
                        and not path.startswith(tuple(but))):
                    self.say(path, number, why)


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    problems = Tidy(sys.argv[1]).run()
    print("\n".join(problems) if problems else "tidy")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
