"""Would a test notice if a guard were gone? `python -m benchmarks.removals`.

Each guard of three packages is taken out once, in a copy of the tree, and the tests that trigger
it are run. What counts as a guard is in the README beside this.
"""

import argparse
import ast
import collections
import concurrent.futures
import itertools
import json
import os
import queue
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from benchmarks import triggers

ROOT = Path(__file__).parent.parent
PACKAGES = ("forwarding", "signing", "web")
#: What is traced: not the stand-ins' own tests, nor those of what lies beside these packages.
TESTS = ("forwarding", "upstream", "badinput", "web", "signing", "server", "providers", "logs")
ENDS = (ast.Raise, ast.Return, ast.Continue, ast.Break)
#: Calls that stand alone and refuse, end or bound something.
CHECKS = re.compile(r"_?(check|refuse|require|verify|validate|forbid)")
ACTIONS = re.compile(r"_?(close|linger|reset|shutdown|clear|cancel|settimeout|setsockopt|unmount)")
#: Arguments that bound or forbid something.
ARGUMENTS = re.compile(r"timeout|.*limit|max_.*|most|allow_.*|strict.*|verify.*|trust_env|policy")

KINDS = ("if", "call", "except", "or", "argument", "and", "bound")

#: Files, and tests of each, that are run in one go; then further ones. Seconds for each go.
ROUNDS = [(1, 3), (3, 2), (8, 3)]
THOROUGH = [(1, 3), (2, 30), (10, 5)]
SECONDS = 120


Tests = dict[str, list[str]]


class Site(NamedTuple):
    """One thing that can be taken out. `text` and `nth` name it, whatever line it is on."""

    path: str
    line: int
    kind: str
    text: str
    nth: int

    @property
    def name(self) -> str:
        return f"{self.path} {self.kind} {self.nth}: {self.text}"


class Guards(ast.NodeTransformer):
    """Finds the guards of a module in a fixed order, and traces all or removes one of them."""

    def __init__(self, path: str, first: int, *, traced: bool = False, removed: int = -1) -> None:
        self.path = path
        self.first = first
        self.traced = traced
        self.removed = removed
        self.sites: list[Site] = []

    def _found(self, kind: str, node: ast.AST, text: str = "") -> int:
        words = " ".join((text or ast.unparse(node)).split())[:160]
        before = sum(one.kind == kind and one.text == words for one in self.sites)
        line = getattr(node, "lineno", 0)
        self.sites.append(Site(self.path, line, kind, words, before + 1))
        return self.first + len(self.sites) - 1

    def visit_If(self, node: ast.If) -> ast.AST:
        is_guard = isinstance(node.body[-1], ENDS) or any(map(self._acts, node.body))
        number = self._found("if", node, f"if {ast.unparse(node.test)}") if is_guard else -1
        node.test = self._condition(node.test)

        if number >= 0:
            node.test = self._around(number, node.test, "true", value=False)

        return self.generic_visit(node)

    def visit_Return(self, node: ast.Return) -> ast.AST:
        if node.value is not None:
            node.value = self._condition(node.value)

        return self.generic_visit(node)

    def visit_While(self, node: ast.While) -> ast.AST:
        node.test = self._condition(node.test)
        return self.generic_visit(node)

    def visit_Expr(self, node: ast.Expr) -> ast.AST:
        checks = self._calls(node, CHECKS)

        if checks or self._acts(node):
            number = self._found("call", node)

            self.generic_visit(node)

            if number == self.removed:
                return ast.Pass()

            if self.traced:
                return _parsed(_TRACED_CHECK if checks else _TRACED_ACTION, number, node)

            return node

        return self.generic_visit(node)

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> ast.AST:
        if not (isinstance(node.body[0], ast.Raise) and node.body[0].exc is None):
            caught = "" if node.type is None else ast.unparse(node.type)
            number = self._found("except", node, f"except {caught}: {ast.unparse(node.body[0])}")

            if number == self.removed:
                node.body = [ast.Raise()]
            elif self.traced:
                node.body.insert(0, _parsed("_triggers.reached(0)", number, None))

        return self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        named = isinstance(node.func, ast.Name) and node.func.id in ("min", "max")

        if named and len(node.args) == 2 and not node.keywords:
            text = ast.unparse(node)
            first = self._found("bound", node, f"{text} without {ast.unparse(node.args[0])}")
            self._found("bound", node, f"{text} without {ast.unparse(node.args[1])}")

            self.generic_visit(node)

            if self.removed in (first, first + 1):
                return node.args[1 - (self.removed - first)]

            if self.traced:
                return ast.Call(
                    _function("bound"), [ast.Constant(first), node.func, *node.args], []
                )

            return node

        for keyword in list(node.keywords):
            if keyword.arg is not None and ARGUMENTS.fullmatch(keyword.arg):
                text = f"{ast.unparse(node.func)}({ast.unparse(keyword)})"
                number = self._found("argument", keyword.value, text)

                if number == self.removed:
                    node.keywords.remove(keyword)
                elif self.traced:
                    either = ast.Tuple([keyword.value], ast.Load())
                    traced = ast.Call(_function("true"), [ast.Constant(number), either], [])
                    keyword.value = ast.Subscript(traced, ast.Constant(0), ast.Load())

        return self.generic_visit(node)

    def _condition(self, node: ast.expr) -> ast.expr:
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            node.operand = self._condition(node.operand)
        elif isinstance(node, ast.BoolOp):
            is_or, whole = isinstance(node.op, ast.Or), ast.unparse(node)

            for place, operand in enumerate(node.values):
                text = f"{whole} without {ast.unparse(operand)}"
                number = self._found("or" if is_or else "and", operand, text)
                node.values[place] = self._around(
                    number, operand, "true" if is_or else "false", value=not is_or
                )

        return node

    def _around(self, number: int, node: ast.expr, function: str, *, value: bool) -> ast.expr:
        if number == self.removed:
            return ast.Constant(value)

        if self.traced:
            return ast.Call(_function(function), [ast.Constant(number), node], [])

        return node

    def _acts(self, node: ast.AST) -> bool:
        return self._calls(node, ACTIONS)

    def _calls(self, node: ast.AST, names: re.Pattern[str]) -> bool:
        if not isinstance(node, ast.Expr) or not isinstance(node.value, ast.Call):
            return False

        called = node.value.func
        name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
        return names.match(name) is not None


_TRACED_CHECK = "try:\n    ...\nexcept BaseException:\n    _triggers.reached(0)\n    raise"
_TRACED_ACTION = "if True:\n    _triggers.reached(0)\n    ..."


def _function(name: str) -> ast.expr:
    return ast.Attribute(ast.Name("_triggers", ast.Load()), name, ast.Load())


def _parsed(template: str, number: int, node: ast.stmt | None) -> ast.stmt:
    class Filled(ast.NodeTransformer):
        def visit_Constant(self, constant: ast.Constant) -> ast.AST:
            return ast.Constant(number) if constant.value == 0 else constant

        def visit_Expr(self, one: ast.Expr) -> ast.AST:
            is_place = isinstance(one.value, ast.Constant) and one.value.value is ...
            return node if is_place and node is not None else self.generic_visit(one)

    return Filled().visit(ast.parse(template).body[0])


def modules(packages: tuple[str, ...]) -> list[str]:
    return [
        str(path.relative_to(ROOT))
        for package in packages
        for path in sorted((ROOT / "chatproxy" / package).glob("*.py"))
    ]


def changed(path: str, first: int, **how: object) -> tuple[str, list[Site]]:
    """Return a module's text after tracing or one removal, and its sites."""
    tree = ast.parse((ROOT / path).read_text())
    guards = Guards(path, first, **how)  # type: ignore[arg-type]
    guards.visit(tree)

    if guards.traced:
        after = 1 if ast.get_docstring(tree) is not None else 0
        tree.body.insert(after, ast.parse("from benchmarks import triggers as _triggers").body[0])

    return ast.unparse(ast.fix_missing_locations(tree)), guards.sites


def copy_tree(to: Path) -> None:
    shutil.rmtree(to, ignore_errors=True)
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    files = subprocess.check_output(listed, cwd=ROOT, text=True).splitlines()

    for name in files:
        if (ROOT / name).is_file():
            (to / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, to / name)


def pytest(folder: Path, *arguments: str, seconds: float | None = None, **environ: str) -> str:
    """Run tests in a copy; return "" if all passed, else the last lines."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments]
    # In a session of its own: where the time is up, its sidecars end with it.
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=os.environ | environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )

    try:
        output, _ = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, 9)
        process.communicate()
        return "time limit"

    # Exit code 5: nothing was selected, so nothing was noticed.
    return "" if process.returncode in (0, 5) else _first_failure(output)


def collected() -> list[str]:
    """Return the names of all tests that are traced."""
    tests = [f"tests/{name}" for name in TESTS]
    command = [sys.executable, "-m", "pytest", "-q", "--collect-only", *tests]
    return subprocess.check_output(command, cwd=ROOT, text=True).splitlines()


def _first_failure(output: str) -> str:
    found = re.search(r"^(?:FAILED|ERROR) (.*)$", output, re.MULTILINE)
    return found[1][:200] if found else output[-300:]


def trace(folder: Path, tests: list[str], processes: int) -> dict[int, list[str]]:
    """Run the tests once; return those that trigger each guard, the quickest first."""
    traced, found = folder / "traced", folder / "found"
    copy_tree(traced)
    shutil.rmtree(found, ignore_errors=True)
    found.mkdir(parents=True)
    first = 0

    for path in modules(PACKAGES):
        text, sites = changed(path, first, traced=True)
        (traced / path).write_text(text)
        first += len(sites)

    failed = pytest(
        traced,
        *("-p", "benchmarks.triggers", "-n", str(processes), "--dist", "loadfile"),
        *tests,
        **{triggers.FOLDER: str(found)},
    )

    if failed:
        print(f"while tracing: {failed}")

    durations = {test: float(took) for took, test in _lines(found, triggers.DURATIONS)}
    hits: dict[int, set[str]] = collections.defaultdict(set)

    for site, test in _lines(found, triggers.HITS):
        hits[int(site)].add(test)

    return {
        site: sorted(tests, key=lambda test: durations.get(test, 99.0))
        for site, tests in hits.items()
    }


def _lines(found: Path, name: str) -> Iterator[list[str]]:
    for path in found.glob(f"*/{name}"):
        for line in path.read_text().splitlines():
            yield line.split("\t", 1)


def rounds(tests: list[str], room: str, *, thorough: bool) -> Iterator[list[str]]:
    """Yield tests to run, the cheapest first: a file may start a sidecar of its own."""
    files = list(dict.fromkeys(test.partition("::")[0] for test in tests))
    files.sort(key=lambda file: not file.startswith(room))  # the tests of its own room first
    seen: set[str] = set()

    for most_files, of_each in THOROUGH if thorough else ROUNDS:
        chosen = [
            test
            for file in files[:most_files]
            for test in [one for one in tests if one.startswith(f"{file}::")][:of_each]
            if test not in seen
        ]
        seen.update(chosen)

        if chosen:
            yield chosen


def take_out(slot: Path, path: str, text: str, batches: Iterator[list[str]]) -> str:
    """Run the tests with a changed module; return what noticed it, or ""."""
    original = (slot / path).read_text()
    (slot / path).write_text(text)

    try:
        for chosen in batches:
            if noticed := pytest(slot, "-x", *chosen, seconds=SECONDS):
                return noticed

        return ""
    finally:
        (slot / path).write_text(original)


class Numbered(NamedTuple):
    """A site, its number in the whole tree, and that of its module's first one."""

    number: int
    site: Site
    first: int


def all_guards() -> list[Numbered]:
    found: list[Numbered] = []

    for path in modules(PACKAGES):
        first = len(found)
        _, sites = changed(path, first)
        found += [Numbered(first + place, site, first) for place, site in enumerate(sites)]

    return found


def triggering(folder: Path, guards: list[Numbered], *, trace_anew: bool, processes: int) -> Tests:
    """Return the tests that trigger each guard, by its name."""
    kept = folder / "triggers.json"

    if trace_anew or not kept.exists():
        hits = trace(folder, [f"tests/{name}" for name in TESTS], processes)
        by_name = {one.site.name: hits[one.number] for one in guards if one.number in hits}
        kept.write_text(json.dumps(by_name))

    # pytest runs nothing where one of the tests is gone.
    present = set(collected())
    return {
        name: [test for test in found if test in present]
        for name, found in json.loads(kept.read_text()).items()
    }


def try_each(
    asked: argparse.Namespace, wanted: list[Numbered], by_name: Tests
) -> Iterator[tuple[Site, str]]:
    """Take each guard out, several at a time; yield what noticed it, "" for nothing."""
    slots: queue.Queue[Path] = queue.Queue()

    for number in range(asked.processes):
        slots.put(asked.folder / f"slot{number}")
        copy_tree(asked.folder / f"slot{number}")

    def run(one: Numbered) -> tuple[Site, str]:
        text, _ = changed(one.site.path, one.first, removed=one.number)
        room = f"tests/{one.site.path.split('/')[1]}/"
        further = rounds(by_name.get(one.site.name, []), room, thorough=asked.again)
        slot = slots.get()

        try:
            batches = itertools.chain([asked.quick] if asked.quick else [], further)
            return one.site, take_out(slot, one.site.path, text, batches)
        finally:
            slots.put(slot)

    with concurrent.futures.ThreadPoolExecutor(asked.processes) as pool:
        for future in concurrent.futures.as_completed([pool.submit(run, one) for one in wanted]):
            yield future.result()


def report(sites: list[Site], done: dict[str, str], by_name: Tests) -> str:
    rows = ["| package | guards | noticed | unnoticed | not tried |", "|---|---|---|---|---|"]

    for package in (*PACKAGES, ""):
        found = [done.get(site.name) for site in sites if f"/{package}" in site.path]
        noticed, left = sum(map(bool, found)), found.count(None)
        counts = f"{len(found)} | {noticed} | {len(found) - noticed - left} | {left}"
        rows.append(f"| {package or 'all'} | {counts} |")

    unnoticed = [
        f"- `{site.path}` {site.kind}: `{site.text}`"
        + ("" if by_name.get(site.name) else " (no traced test triggers it)")
        for site in sites
        if done.get(site.name) == ""
    ]
    return "\n".join(["# removals", "", *rows, "", "Unnoticed:", "", *unnoticed, ""])


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=ROOT / "build" / "removals")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--trace", action="store_true", help="run the tests once, even if done")
    parser.add_argument("--again", action="store_true", help="try those anew that went unnoticed")
    parser.add_argument("--list", action="store_true", help="try none, only say what was found")
    parser.add_argument("--quick", nargs="*", default=[], help="tests that are run first each time")
    parser.add_argument("--write", action="store_true", help="write results/removals.md")
    return parser.parse_args()


def main() -> None:
    asked, guards = options(), all_guards()
    asked.folder.mkdir(parents=True, exist_ok=True)
    by_name = triggering(asked.folder, guards, trace_anew=asked.trace, processes=asked.processes)
    done_file = asked.folder / "done.jsonl"
    lines = done_file.read_text().splitlines() if done_file.exists() else []
    done: dict[str, str] = dict(map(json.loads, lines))
    wanted = [
        one
        for one in guards
        if (done.get(one.site.name) == "" if asked.again else one.site.name not in done)
    ]
    wanted.sort(key=lambda one: KINDS.index(one.site.kind))

    for site, noticed in try_each(asked, [] if asked.list else wanted, by_name):
        done[site.name] = noticed
        print(f"{'noticed' if noticed else 'UNNOTICED'}  {site.name}  {noticed}", flush=True)

        with done_file.open("a") as file:
            file.write(json.dumps([site.name, noticed]) + "\n")

    text = report([one.site for one in guards], done, by_name)
    print(text)

    if asked.write:
        (ROOT / "benchmarks" / "results" / "removals.md").write_text(text)


if __name__ == "__main__":
    main()
