"""What the program says about itself in `--help`, and pages about it."""

import os
import re
import signal
import subprocess
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

PROGRAM = os.environ["CALLBOARD_PROGRAM"]
TOP = Path(__file__).resolve().parents[2]
PATIENCE_S = 20

# Without what would configure the program behind our back, and without a second
# port, because many servers run at a time.
ENVIRONMENT = {name: value for name, value in os.environ.items()
               if not name.startswith("CALLBOARD_")}
ENVIRONMENT["CALLBOARD_ADMIN"] = "none"


@dataclass
class Option:
    name: str
    takes: str  # as in `--listen HOST:PORT`; empty: a switch
    bounds: str  # empty: anything goes
    default: str  # empty: none is said


def run(*words):
    """Runs the program to its end."""
    return subprocess.run([PROGRAM, *words], env=ENVIRONMENT, text=True,
                          capture_output=True, timeout=PATIENCE_S)


@contextmanager
def serve(*words, program=PROGRAM):
    """Runs a server on a free port, gives its URL, and ends it: exit code 0."""
    with tempfile.TemporaryFile(mode="w+") as log:
        server = subprocess.Popen(
            [program, "serve", *words, "--listen", "127.0.0.1:0"],
            env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=log, text=True)
        try:
            line = server.stdout.readline()
            found = re.search(r"http://\S+:\d+", line)
            assert found, f"it said '{line}' in place of where it listens"
            yield found[0]
            server.send_signal(signal.SIGTERM)
            server.communicate(timeout=PATIENCE_S)
            log.seek(0)
            assert server.returncode == 0, log.read()
        finally:
            server.kill()
            server.communicate()


def help_of(*command):
    result = run(*command, "--help")
    assert result.returncode == 0, result.stderr
    return result.stdout


def _option(first, rest):
    match = re.match(r"  (?:-\w,)?--([a-z-]+)(?: (\S+))?", first)
    name, takes = match[1], match[2] or ""
    said = re.match(r"\(((?:(?!default ).)*?)(?:; )?(?:default (.*))?\)$",
                    rest[-1] if rest else "")
    bounds, default = said.groups(default="") if said else ("", "")
    # The other way to say it: `--threads UINT:UINT in [1 - 256]=1`.
    words = re.split(r" {2,}", first.strip())[0]
    brief = re.search(r"=([0-9a-z]\S*)", words)
    return Option(name, takes, bounds.strip(),
                  default or (brief[1] if brief else ""))


def options_of(*command):
    """Returns {name: Option} of a command, without --help."""
    found, lines = {}, []

    def take():
        if lines:
            option = _option(lines[0], lines[1:])
            found[option.name] = option
        lines.clear()

    for line in help_of(*command).partition("\nOptions:\n")[2].splitlines():
        if re.match(r"  (-\w,)?--", line):
            take()
            lines.append(line)
        elif lines and line.startswith(" " * 30):
            lines.append(line.strip())
        else:
            take()
    take()
    found.pop("help")
    return found


def commands_of(*command):
    """Returns the names of a command's subcommands."""
    text = help_of(*command).partition("\nSubcommands:\n")[2]
    return re.findall(r"^  ([a-z]+(?:-[a-z]+)*) ", text.partition("\n\n")[0], re.M)


def complaint(text, *words):
    """Returns what `serve` says about a config file, which it must refuse."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "callboard.conf")
        file.write_text(text, encoding="utf-8")
        result = run("serve", "--config", str(file), *words)
    assert result.returncode == 2, result.stderr
    return result.stderr.strip().replace(str(file), "callboard.conf")


def section_keys():
    """Returns what the sections of a config file may set: {kind: keys}."""
    kinds = re.findall(r"\[(\w+) PATTERN\]", complaint("[nonsense]\n"))
    return {kind: re.search(r" section takes (.*)", complaint(
        f"[{kind} x]\nno-such-key = 1\n"))[1].split(", ") for kind in kinds}


def tables(text):
    """Returns the tables of a page: lists of rows, rows are lists of cells."""
    result, rows = [], []
    for line in [*text.splitlines(), ""]:
        if line.startswith("|"):
            rows.append([x.strip() for x in line.strip().strip("|").split("|")])
        elif rows:
            result.append(rows[2:])
            rows = []
    return result


def section(text, heading):
    """Returns what stands below a heading, up to the next one of its level, but
    for examples."""
    text = re.sub(r"^```$.*?^```$", "", text, flags=re.M | re.S)
    level = heading.partition(" ")[0]
    begin = re.search(rf"^{re.escape(heading)}$", text, re.M)
    assert begin, f"no heading '{heading}'"
    behind = text[begin.end():]
    end = re.search(rf"^#{{1,{len(level)}}} ", behind, re.M)
    return behind[:end.start()] if end else behind
