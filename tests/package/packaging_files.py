"""Reads what is in cmd/packaging/, and the lists of packages in ./dev."""

import re
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
FOLDER = TOP / "cmd/packaging"


def read(name):
    return (FOLDER / name).read_text(encoding="utf-8")


def unit():
    """Returns the systemd unit: {section: {key: [values]}}.

    Raises ValueError for what systemd would not take."""
    result, keys = {}, None
    for number, line in enumerate(read("callboard.service").splitlines(), 1):
        if not line or line.startswith("#"):
            continue
        if header := re.fullmatch(r"\[(\w+)\]", line):
            if header[1] in result:
                raise ValueError(f"line {number}: a second [{header[1]}]")
            keys = result[header[1]] = {}
            continue
        match = re.fullmatch(r"([A-Z]\w+)=(.*)", line)
        if match is None or keys is None or line.endswith((" ", "\\")):
            raise ValueError(f"line {number}: '{line}'")
        keys.setdefault(match[1], []).append(match[2])
    return result


def stages():
    """Returns the stages of the Containerfile: lists of (NAME, rest)."""
    text = re.sub(r"^\s*#.*\n", "", read("Containerfile"), flags=re.M)
    text = re.sub(r"\\\n\s*", " ", text)
    result = []
    for line in filter(None, text.splitlines()):
        name, _, rest = line.partition(" ")
        if name == "FROM":
            result.append([])
        result[-1].append((name, rest.strip()))
    return result


def values(stage, name):
    return [rest for instruction, rest in stage if instruction == name]


def dev_packages(name):
    """Returns one of the lists of Debian packages in ./dev."""
    text = (TOP / "dev").read_text(encoding="utf-8")
    return re.search(rf"^{name}=\(([^)]*)\)", text, re.M)[1].split()


def seconds(text):
    """Returns a duration in seconds: 90s, 5m."""
    number, unit_of_it = re.fullmatch(r"(\d+)(ms|s|m|h)", text).groups()
    return int(number) * {"ms": 0.001, "s": 1, "m": 60, "h": 3600}[unit_of_it]
