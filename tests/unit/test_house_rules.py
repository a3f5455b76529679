"""The rules of the house that a machine can check; CONTRIBUTING.md says why they are rules."""

from __future__ import annotations

import ast
import fnmatch
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "smc_trading_agent"

MAX_FILE_LINES = 500
MAX_FUNCTION_LINES = 60
MAX_ROOT_ENTRIES = 26

# The one module that reads the machine's clock, the one that makes the gateway's secret key, and the one that puts the
# global generators back after a library has seeded them.
AMBIENT = {
    "domain/clock.py": r"time\..+",
    "runtime/assembly.py": r"secrets\.token_bytes",
    "decision_engine/training/ppo.py": r"random\.(get|set)state|numpy\.random\.(get|set)_state",
}

CLOCK_CALLS = re.compile(
    r"time\.(time|monotonic|perf_counter|process_time|thread_time)(_ns)?"
    r"|time\.(localtime|gmtime|ctime)"
    r"|datetime\.datetime\.(now|utcnow|today)"
    r"|datetime\.date\.today"
)
CHANCE_CALLS = re.compile(r"(random|numpy\.random|secrets)\..+|os\.urandom|uuid\.uuid[14]")
SEEDED_GENERATORS = {"random.Random", "numpy.random.default_rng", "numpy.random.Generator", "numpy.random.PCG64"}
UNSAFE_FORMATS = {"pickle", "cPickle", "_pickle", "dill", "cloudpickle", "joblib", "marshal", "shelve"}
EXCUSES = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b|for now\b|placeholder|simplified|in production we", re.IGNORECASE)


def sources(folder: Path, *suffixes: str) -> list[Path]:
    """Source files under ``folder`` with one of ``suffixes``, without what is built or installed."""
    built = {"node_modules", "static", "target", "dist", "__pycache__"}
    found = (path for suffix in suffixes for path in folder.rglob(f"*{suffix}"))
    return sorted(path for path in found if not built & set(path.relative_to(ROOT).parts))


def package_modules() -> list[Path]:
    return sources(PACKAGE, ".py")


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def imported_names(tree: ast.Module) -> dict[str, str]:
    """What each name that an import binds stands for: ``np`` is ``numpy``, ``now`` is ``time.time``."""
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                bound = alias.asname or alias.name.partition(".")[0]
                names[bound] = alias.name if alias.asname else bound
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
    return names


def dotted(node: ast.expr, names: dict[str, str]) -> str | None:
    """The full name that an expression like ``np.random.rand`` refers to, None where it starts at no import."""
    if isinstance(node, ast.Name):
        return names.get(node.id)
    if isinstance(node, ast.Attribute):
        owner = dotted(node.value, names)
        return f"{owner}.{node.attr}" if owner else None
    return None


def ambient_uses(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Line and full name of each use of the machine's clock or of unseeded chance."""
    names = imported_names(tree)
    seeded = {
        id(node.func)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and (node.args or node.keywords) and dotted(node.func, names) in SEEDED_GENERATORS
    }
    for node in ast.walk(tree):
        if not isinstance(node, ast.Name | ast.Attribute) or id(node) in seeded:
            continue
        name = dotted(node, names)
        if name and (CLOCK_CALLS.fullmatch(name) or CHANCE_CALLS.fullmatch(name)):
            yield node.lineno, name


def imported_modules(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def test_the_package_is_there_to_be_checked() -> None:
    assert len(package_modules()) > 10


def test_no_file_is_longer_than_the_cap() -> None:
    folders = ("smc_trading_agent", "benchmarks", "scripts", "tests", "crates", "dashboard")
    files = [path for folder in folders for path in sources(ROOT / folder, ".py", ".pyi", ".rs", ".ts", ".tsx", ".css")]
    lengths = {relative(path): len(path.read_text(encoding="utf-8").splitlines()) for path in files}
    assert {name: length for name, length in lengths.items() if length > MAX_FILE_LINES} == {}


def test_no_function_is_longer_than_the_cap() -> None:
    too_long = [
        f"{relative(path)}:{node.lineno} {node.name}: {length} lines"
        for path in package_modules()
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (length := (node.end_lineno or node.lineno) - node.lineno + 1) > MAX_FUNCTION_LINES
    ]
    assert too_long == []


def test_time_and_chance_are_passed_in() -> None:
    uses = [
        f"{relative(path)}:{line} {name}"
        for path in package_modules()
        for line, name in ambient_uses(parsed(path))
        if not re.fullmatch(AMBIENT.get(path.relative_to(PACKAGE).as_posix(), "nothing"), name)
    ]
    assert uses == []


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("import time\ntime.time()", ["time.time"]),
        ("from time import perf_counter_ns as tick\nf(tick)", ["time.perf_counter_ns"]),
        ("from datetime import datetime, UTC\ndatetime.now(UTC)", ["datetime.datetime.now"]),
        ("import numpy as np\nnp.random.normal()", ["numpy.random.normal"]),
        ("import random\nrandom.Random()", ["random.Random"]),
        ("import random\nrandom.Random(7)", []),
        ("import numpy as np\nnp.random.default_rng(seed)", []),
        ("import uuid\nuuid.uuid4()", ["uuid.uuid4"]),
        ("from datetime import datetime\ndatetime.fromtimestamp(t)", []),
        ("clock.now()", []),
    ],
)
def test_the_search_for_ambient_time_and_chance_finds_what_it_should(code: str, found: list[str]) -> None:
    assert [name for _, name in ambient_uses(ast.parse(code))] == found


def test_nothing_imports_a_format_that_runs_code_when_read() -> None:
    imports = [
        f"{relative(path)} imports {module}"
        for path in package_modules()
        for module in imported_modules(parsed(path))
        if module.partition(".")[0] in UNSAFE_FORMATS
    ]
    assert imports == []


def test_every_room_says_what_it_is_for() -> None:
    packages = {path.parent for path in package_modules()}
    silent = [
        relative(package)
        for package in sorted(packages)
        if not (init := package / "__init__.py").is_file() or not ast.get_docstring(parsed(init))
    ]
    silent += [
        relative(path)
        for path in sources(ROOT / "crates", "mod.rs", "lib.rs")
        if not path.read_text(encoding="utf-8").startswith("//! ")
    ]
    assert silent == []


def test_nothing_is_excused_for_being_unfinished() -> None:
    files = package_modules() + sources(ROOT / "crates", ".rs")
    excuses = [
        f"{relative(path)}:{number} {line.strip()}"
        for path in files
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if EXCUSES.search(line)
    ]
    assert excuses == []


def test_tests_wait_on_conditions_and_ask_for_recorded_data_by_fixture() -> None:
    guards = {"conftest.py", "test_house_rules.py", "test_shared_data_gate.py"}
    breaches = []
    for path in sources(ROOT / "tests", ".py"):
        if path.name in guards:
            continue
        text = path.read_text(encoding="utf-8")
        names = imported_names(tree := ast.parse(text))
        called = {dotted(node.func, names) for node in ast.walk(tree) if isinstance(node, ast.Call)}
        breaches += [f"{relative(path)} sleeps"] * ("time.sleep" in called)
        breaches += [f"{relative(path)} looks for the data itself"] * ("SMC_SHARED_DATA" in text)
    for path in sources(ROOT / "crates", ".rs"):
        text = path.read_text(encoding="utf-8")
        skips = "SMC_SHARED_DATA" in text and "SMC_REQUIRE_SHARED_DATA" not in text
        breaches += [f"{relative(path)} skips even where SMC_REQUIRE_SHARED_DATA=1 forbids it"] * skips
    assert breaches == []


def test_the_root_stays_a_table_of_contents() -> None:
    ignored = {
        line.strip("/")
        for line in (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
        if line.count("/") - line.startswith("/") - line.endswith("/") == 0
    }
    visible = [path.name for path in ROOT.iterdir() if not path.name.startswith(".")]
    entries = sorted(name for name in visible if not any(fnmatch.fnmatch(name, pattern) for pattern in ignored))
    assert len(entries) <= MAX_ROOT_ENTRIES, entries
