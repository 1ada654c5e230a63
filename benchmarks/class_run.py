"""What hostile files cost a class: 200 files graded alone, and again with 20 hostile ones among them.

    python benchmarks/class_run.py [WORKERS]

Four runs (alone, among, among, alone), of which the faster of each kind counts. The 200 are solutions, known mistakes and the
honest styles of tests/honest; the 20 are of tests/attacks, graded by a copy of their exercise in which a call may take half a
second. Three figures:

    wall            of the whole run. A file that hangs costs a worker its deadlines, whatever a judge does
    deadlines aside the same without the hostile files' own share: their seconds, divided by the workers that work at once
    neighbours      seconds of the same 200 files: what a hostile file does to others that are graded beside it
"""

import itertools
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from clozekit import blanks
from clozekit.catalog import Catalog, builtin_root
from clozekit.classroom import layouts, trees
from clozekit.classroom.databases import beside
from clozekit.classroom.executors import local
from clozekit.classroom.handed import Line
from clozekit.classroom.judging import Judging
from clozekit.classroom.running import ClassRun
from clozekit.classroom.store import Store
from clozekit.engine import Engine
from clozekit.exercise import Exercise

TESTS = Path(__file__).parent.parent / "tests"
FILES = 200
HOMEWORK = """
    normalization/rms_norm attention/multi_head_attention sampling/top_p tokenization/bpe_train alignment/dpo
""".split()  # with hostile/rms_norm as many as a judge keeps warm
HOSTILE = """
    a_byte_now_and_then abort bomb_of_unpacking disk_filler exits_with_status_0 fork_bomb frame_of_ten_gigabytes
    ignores_signals_and_spins inode_filler kills_its_parent loop_at_import loop_in_a_power loop_while_printing memory_hog
    memory_in_pieces orphan_holds_the_pipe recursion_for_ever segfault stops_itself thread_bomb
""".split()
CONTENTS = """
[[track]]
name = "hostile"
title = { en = "Hostile", zh = "恶意" }
[track.exercises]
rms_norm = { difficulty = 1 }
"""


def hurried(root: Path) -> Catalog:
    """The kit's exercises, and hostile/rms_norm, where a call may take half a second."""
    real, copy = Exercise(builtin_root(), "normalization/rms_norm"), Exercise(root, "hostile/rms_norm")
    for name in ("words_path", "solution_path", "grader_path"):
        getattr(copy, name).parent.mkdir(parents=True)
        shutil.copy(getattr(real, name), getattr(copy, name))
    words = copy.words_path.read_text("utf-8")
    copy.words_path.write_text(words.replace("[policy]\n", "[policy]\nseconds = 0.5\n"), "utf-8")
    (root / "exercises/contents.toml").write_text(CONTENTS, "utf-8")
    return Catalog([root, builtin_root()])


def honest(catalog: Catalog) -> list[tuple[str, bytes]]:
    """What a class hands in: an exercise and a file, the exercises in turns."""
    piles = []
    for exercise in (catalog[id] for id in HOMEWORK):
        styles = [path.read_bytes() for path in sorted((TESTS / "honest" / exercise.id).glob("*.py"))]
        wrong = [exercise.mistaken(mistake).encode() for mistake in exercise.mistakes.values()]
        piles.append([(exercise.id, each) for each in (blanks.reveal(exercise.solution).encode(), *styles, *wrong)])
    rounds = itertools.chain.from_iterable(itertools.zip_longest(*piles))
    return list(itertools.islice(itertools.cycle([each for each in rounds if each]), FILES))


def hand_in(folder: Path, files: list[tuple[str, bytes]]) -> None:
    """Each file by a student of its own, and unlike all others; the hostile ones, which come last, spread among the others."""
    for number, (exercise, content) in enumerate(files):
        student = f"{number * 37 % len(files):03}"
        path = folder / student / f"{exercise}.py"
        path.parent.mkdir(parents=True)
        path.write_bytes(content + f"\n# {number}\n".encode())


def timed(folder: Path, catalog: Catalog, out: Path, workers: int) -> tuple[float, list[Line]]:
    """Seconds of one run on a judge that is warm: every grader is loaded."""
    lines: list[Line] = []
    with Engine() as engine, Store(beside(out)) as store:
        for id in ("hostile/rms_norm", *HOMEWORK):
            engine.tester(catalog[id])
        judging = Judging(engine, catalog, "en", "visible")
        with trees.opened(folder, out) as tree:
            handed = layouts.find(tree, judging.exercises).handed
        began = time.perf_counter()
        with local(judging, workers) as place:
            ClassRun(judging, store).run(handed, place, lines.append)
        return time.perf_counter() - began, lines


def neighbours(lines: list[Line]) -> list[float]:
    return sorted(line["seconds"] for line in lines if line["exercise"] != "hostile/rms_norm")


def main(workers: int) -> None:
    with tempfile.TemporaryDirectory() as place:
        root = Path(place)
        catalog = hurried(root / "content")
        files = honest(catalog)
        attacks = [
            ("hostile/rms_norm", (TESTS / f"attacks/normalization/rms_norm/{name}.py").read_bytes()) for name in HOSTILE
        ]
        hand_in(root / "alone", files)
        hand_in(root / "among", files + attacks)
        runs: dict[str, list[tuple[float, list[Line]]]] = {"alone": [], "among": []}
        for number, name in enumerate(("alone", "among", "among", "alone")):
            runs[name].append(timed(root / name, catalog, root / f"out{number}", workers))
    alone, quiet = min(runs["alone"], key=lambda run: run[0])
    among, loud = min(runs["among"], key=lambda run: run[0])
    hostile = [line for line in loud if line["exercise"] == "hostile/rms_norm"]
    share = sum(line["seconds"] for line in hostile) / workers
    print(f"{workers} workers\nalone            {alone:6.1f} s   {FILES / alone:5.1f} files/s")
    print(
        f"among            {among:6.1f} s   {(FILES + len(attacks)) / among:5.1f} files/s   ratio {among / alone:.2f}"
    )
    print(
        f"deadlines aside  {among - share:6.1f} s   {FILES / (among - share):5.1f} files/s   ratio {(among - share) / alone:.2f}"
    )
    for name, of in (("median", statistics.median), ("p95", lambda times: times[int(0.95 * len(times))]), ("max", max)):
        before, after = of(neighbours(quiet)), of(neighbours(loud))
        print(f"neighbours {name:6} {before:6.3f} s, {after:6.3f} s   ratio {after / before:.2f}")
    print(f"verdicts of the {FILES}: {verdicts(quiet)} alone, {verdicts(loud)} among")
    names = {f"{number * 37 % (FILES + len(HOSTILE)):03}": name for number, name in enumerate(HOSTILE, FILES)}
    for line in sorted(hostile, key=lambda line: line["seconds"]):
        print(f"    {names[line['student']]:28} {line['verdict']:8} {line['seconds']:6.2f} s")


def verdicts(lines: list[Line]) -> dict[str, int]:
    return dict(sorted(Counter(line["verdict"] for line in lines if line["exercise"] != "hostile/rms_norm").items()))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else len(os.sched_getaffinity(0)))
