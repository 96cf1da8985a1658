"""How many small faults the tests find: `.venv/bin/python tests/mutation.py --count 150`, by hand, never by pytest.

Samples mutations of the core and the metrics, each in a copy of the tree, and runs the tests of that file until one
fails. Prints a JSON object a mutant, then the counts and whatever survived; the same seed samples the same mutants.
"""

import argparse
import ast
import copy
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import Queue
from random import Random

import msgspec

ROOT = Path(__file__).resolve().parent.parent
LONGEST_S = 60
LEFT_OUT = (".git", ".venv", ".venv-clients", "__pycache__", ".mypy_cache", ".ruff_cache", ".pytest_cache", "runs")

TESTS = {
    "simulator/clock.py": "live_seat conversation playout",
    "simulator/timeline.py": "timeline conversation",
    "simulator/events.py": "events event_types conversation",
    "simulator/speaking/cues.py": "cues script",
    "simulator/speaking/turn_taking.py": "turn_taking deciding",
    "simulator/speaking/ears.py": "hearing silero cues turn_taking",
    "simulator/speaking/voice.py": "voice telling script",
    "simulator/call/": "conversation windows closing lookahead golden live_seat results recording response_failures "
    "served_session injector",
    "simulator/floor/": "floor turns barge_in backchannel takeover live_floor_watch",
    "simulator/annotation/truth.py": "annotate telling activity",
    "simulator/annotation/audible.py": "annotate telling credible",
    "simulator/reading/secrets.py": "secrets scenario",
    "simulator/batch/budget.py": "budget serve_budgets limits",
    "simulator/batch/limits.py": "limits run",
    "simulator/files.py": "results run recording",
    "simulator/intervals/": "intervals compat_pooling results",
    "metrics/latency.py": "latency explain golden",
    "metrics/barge_in.py": "barge_in validity golden",
    "metrics/takeover.py": "takeover golden",
    "metrics/turns.py": "turns golden",
    "metrics/backchannel.py": "backchannel golden",
    "metrics/selectivity.py": "selectivity golden",
}
"""The files that are mutated (a folder: all in it), and the tests that hold each: names of tests/test_*.py."""

COMPARED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip
REACHED: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.FloorDiv, ast.Div: ast.Mult, ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
}  # fmt: skip


class Mutation(msgspec.Struct, frozen=True):
    """A change of a file: what stands from byte `start` to byte `end`, before and after."""

    path: str
    line: int
    start: int
    end: int
    before: str
    after: str


class Outcome(msgspec.Struct, frozen=True):
    """What came of a mutation. outcome: killed, timeout, survived, or broken (no run, or another file)."""

    outcome: str
    mutation: Mutation


def mutations(path: str, source: bytes) -> list[Mutation]:
    """Every mutation of a file, in the order of its text; annotations, texts and `__all__` stay as they are."""
    starts = [0]
    for line in source.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    found = []
    for node, after in _changed(ast.parse(source)):
        begin, end = starts[node.lineno - 1] + node.col_offset, starts[node.end_lineno - 1] + node.end_col_offset  # type: ignore[attr-defined] # statements and expressions have them
        before = source[begin:end].decode()
        found.append(Mutation(path, node.lineno, begin, end, before, after))  # type: ignore[attr-defined] # as above
    return found


def _changed(node: ast.AST) -> Iterator[tuple[ast.AST, str]]:
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "type_params", "decorator_list"):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST) and not isinstance(child, ast.JoinedStr):
                yield from ((child, text) for text in _variants(child))
                yield from _changed(child)


def _variants(node: ast.AST) -> Iterator[str]:
    """What may stand in the place of a node instead."""
    changed = copy.copy(node)
    match changed:
        case ast.Compare(ops=[first, *others]) if type(first) in COMPARED:
            changed.ops = [COMPARED[type(first)](), *others]
        case ast.BinOp(op=op) if type(op) in REACHED:
            changed.op = REACHED[type(op)]()
        case ast.BoolOp(op=op):
            changed.op = ast.Or() if isinstance(op, ast.And) else ast.And()
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            changed = operand
        case ast.Constant(value=bool(value)):
            changed.value = not value
        case ast.Constant(value=int() | float()):
            yield from (f"({node.value + step!r})" for step in (1, -1))  # type: ignore[attr-defined] # a constant
            return
        case ast.Return(value=ast.expr() as value) if not isinstance(value, ast.Constant):
            yield "return None"
            return
        case ast.Expr(value=ast.Call()) | ast.AugAssign() | ast.Assign(targets=[ast.Attribute()]):
            yield "pass"
            return
        case _:
            return
    yield f"({ast.unparse(changed)})"


def sampled(seed: int, count: int) -> list[Mutation]:
    """Draw mutations: a file first, each as likely as another, then one of its own; none twice."""
    random = Random(seed)
    paths = [path for name in TESTS for path in sorted(ROOT.glob(f"{name}*.py" if name.endswith("/") else name))]
    names = [str(path.relative_to(ROOT)) for path in paths]
    left = {name: mutations(name, (ROOT / name).read_bytes()) for name in names}
    drawn: list[Mutation] = []
    while len(drawn) < count and (some := [name for name in names if left[name]]):
        choices = left[random.choice(some)]
        drawn.append(choices.pop(random.randrange(len(choices))))
    return drawn


def survivors(printed: Path) -> list[Mutation]:
    """Read what survived in an earlier run, whose sources must be the same still."""
    lines = [line for line in printed.read_text(encoding="utf-8").splitlines() if line.startswith('{"outcome"')]
    outcomes = [msgspec.json.decode(line, type=Outcome) for line in lines]
    return [one.mutation for one in outcomes if one.outcome == "survived" and one.mutation.line > 0]


def tests_of(path: str) -> list[str]:
    """The test files that hold a file, those that hold it closest first."""
    names = next(names for start, names in TESTS.items() if path.startswith(start))
    return [f"tests/test_{name}.py" for name in names.split()]


def tried(mutation: Mutation, tree: Path) -> Outcome:
    """Run a mutation's tests in a copy of the tree, which is as before afterwards."""
    file = tree / mutation.path
    source = file.read_bytes()
    if source[mutation.start : mutation.end].decode() != mutation.before:
        return Outcome("broken", mutation)
    file.write_bytes(source[: mutation.start] + mutation.after.encode() + source[mutation.end :])
    try:
        code = _run(tests_of(mutation.path), tree)
    finally:
        file.write_bytes(source)
    words = {0: "survived", 1: "killed", 2: "killed", -1: "timeout"}  # 2: a test file could not be imported
    return Outcome(words.get(code, "broken"), mutation)


def _run(tests: list[str], tree: Path) -> int:
    """Run tests until one fails; pytest's exit code, -1 when the time is over, with all that it started ended."""
    words = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider"]
    words += ["-m", "not slow and not torch and not browser and not clients", *tests]
    environment = {**os.environ, "PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"}
    process = subprocess.Popen(
        words, cwd=tree, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    try:
        return process.wait(LONGEST_S)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return -1


def main() -> int:
    """Try a sample; 1 when fewer than nine in ten were found, 2 when the tests fail without any mutation."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=150)
    parser.add_argument("--skip", type=int, default=0, help="leave out so many of the sample's first")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--again", type=Path, help="try what survived in what an earlier run printed, not a sample")
    args = parser.parse_args()
    sample = survivors(args.again) if args.again else sampled(args.seed, args.skip + args.count)[args.skip :]
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(args.workers) as pool:
        trees: Queue[Path] = Queue()
        for number in range(args.workers):
            trees.put(Path(shutil.copytree(ROOT, Path(folder) / str(number), ignore=shutil.ignore_patterns(*LEFT_OUT))))

        def one(mutation: Mutation) -> Outcome:
            tree = trees.get()
            outcome = tried(mutation, tree)
            trees.put(tree)
            print(json.dumps(msgspec.to_builtins(outcome)), flush=True)
            return outcome

        unchanged = {tuple(tests_of(m.path)): Mutation(m.path, 0, 0, 0, "", "") for m in sample}
        if any(outcome.outcome != "survived" for outcome in list(pool.map(one, unchanged.values()))):
            print("tests fail, or take too long, before anything is changed: whatever they find proves nothing")
            return 2
        outcomes = list(pool.map(one, sample))
    counts = Counter(outcome.outcome for outcome in outcomes)
    print(json.dumps({"seed": args.seed, "skipped": args.skip, "tried": len(outcomes), **counts}))
    for outcome in outcomes:
        if outcome.outcome in ("survived", "broken"):
            change = outcome.mutation
            print(f"{outcome.outcome} {change.path}:{change.line}  {change.before!r} -> {change.after!r}")
    return int(counts["killed"] + counts["timeout"] < 0.9 * len(outcomes))


if __name__ == "__main__":
    sys.exit(main())
