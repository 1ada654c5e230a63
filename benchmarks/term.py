"""A teacher's term with a generated class: released, graded, graded again after a grader was mended, exported and reported.

    python benchmarks/term.py [STUDENTS]

Every student hands in three exercises: honest answers of tests/honest, known mistakes, machine-made mutants of the solution,
files of tests/attacks, a copied one here and there. Only the commands of the README are used; what each prints and takes is
shown. At the end the verdicts are held against what is known of the files: no honest answer is refused, no attack and no mistake
passes.
"""

import csv
import itertools
import json
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from clozekit.catalog import builtin_root
from clozekit.exercise import Exercise
from clozekit.mutants import mutants

IDS = ("normalization/rms_norm", "sampling/top_p", "attention/kv_cache")
TESTS = Path(__file__).parent.parent / "tests"
CONTENTS = "\n".join(
    f'[[track]]\nname = "{track}"\ntitle = {{ en = "{track}", zh = "{track}" }}\n[track.exercises]\n{name} = {{ difficulty = 2 }}'
    for track, _, name in (id.partition("/") for id in IDS)
)
SYLLABUS = """\
title = "LLM systems"

[deadlines]
"normalization/rms_norm" = 2027-03-01T23:59:00+01:00

[grades]
keep = "best"
late_per_day = 0.1
"""
ANOTHER_CASE = """

def test_a_vocabulary_of_three(check):
    check("top_p_probs", torch.tensor([0.0, 1.0, 2.0]), 0.5)
"""


def course(root: Path) -> dict[str, Exercise]:
    """A content root of a teacher's own, with three exercises."""
    for id in IDS:
        kit, own = Exercise(builtin_root(), id), Exercise(root, id)
        for theirs, ours in ((kit.words_path, own.words_path), (kit.grader_path, own.grader_path)):
            ours.parent.mkdir(parents=True)
            shutil.copy(theirs, ours)
        own.solution_path.parent.mkdir(parents=True)
        shutil.copy(kit.solution_path, own.solution_path)
    (root / "exercises/contents.toml").write_text(CONTENTS)
    (root / "course.toml").write_text(SYLLABUS)
    return {id: Exercise(root, id) for id in IDS}


def answers(exercise: Exercise, draw: random.Random) -> Iterator[tuple[str, str]]:
    """Of which kind, and what: for ever."""
    honest = [path.read_text() for path in sorted((TESTS / "honest" / exercise.id).glob("*.py"))]
    attacks = [path.read_text() for path in sorted((TESTS / "attacks" / exercise.id).glob("*.py"))]
    mistakes = [exercise.mistaken(mistake) for mistake in exercise.mistakes.values()]
    changed = [mutant.source for mutant in mutants(exercise.solution)]
    piles = {"honest": honest, "mistake": mistakes, "mutant": changed, "attack": attacks}
    for number in itertools.count():
        kind = draw.choices(list(piles), (5, 3, 2, 1))[0]
        source = draw.choice(piles[kind])
        yield kind, source if number % 10 else f"{source}\n# student {number}\n"


def hand_in(root: Path, exercises: dict[str, Exercise], students: int) -> dict[tuple[str, str], str]:
    """The kind of each file by student and exercise."""
    draw, kinds = random.Random(students), {}
    for id, exercise in exercises.items():
        for number, (kind, source) in enumerate(itertools.islice(answers(exercise, draw), students)):
            path = root / f"s{number:03}/{id}.py"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(source)
            kinds[f"s{number:03}", id] = kind
    return kinds


def cloze(root: Path, *arguments: str) -> None:
    """What it prints, and how long it takes. 3 is a class of which not every file could be checked."""
    print(f"$ cloze {' '.join(arguments)}")
    began = time.perf_counter()
    done = subprocess.run([sys.executable, "-m", "clozekit", *arguments], cwd=root, capture_output=True, text=True)
    print(done.stdout, end="")
    if done.returncode not in (0, 3):
        sys.exit(f"it ended with {done.returncode}: {done.stderr}")
    print(f"  ({time.perf_counter() - began:.1f} s)\n")


def main(students: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        exercises = course(root / "course")
        kinds = hand_in(root / "submissions", exercises, students)
        graded = "grade", "submissions", "--out", "results", "--content", "course"
        cloze(root, "release", "pack", "--content", "course", "--course", "course/course.toml")
        cloze(root, *graded)
        cloze(root, *graded)
        grader = exercises["sampling/top_p"].grader_path
        grader.write_text(grader.read_text() + ANOTHER_CASE)
        forms = "junit", "markdown", "github", "gitlab", "sarif"
        cloze(root, *graded, *(f"--format={form}" for form in forms))
        gradebook = "gradebook", "results", "--content", "course", "--course", "course/course.toml"
        cloze(root, *gradebook, "--csv", "grades.csv", "--format", "canvas=canvas.csv", "--format", "moodle=moodle.csv")
        cloze(root, "class-report", "results", "--content", "course", "--out", "class.html")
        cloze(root, "alike", "submissions", "--content", "course", "--out", "alike.html")
        lines = [json.loads(line) for line in (root / "results/results.jsonl").read_text().splitlines()]
        assert len(lines) == len(kinds)
        with open(root / "results/grades.csv") as table:
            assert len(list(csv.reader(table))) == 1 + students
        for path in sorted([*root.glob("*.csv"), *root.glob("*.html"), *root.glob("results/*.*")]):
            print(f"{path.relative_to(root)}  {path.stat().st_size} bytes")
    verdicts = Counter((kinds[line["student"], line["exercise"]], line["verdict"]) for line in lines)
    for (kind, verdict), count in sorted(verdicts.items()):
        print(f"{kind:8} {verdict:16} {count}")
    assert not verdicts["honest", "failed"]
    assert not verdicts["attack", "passed"]
    assert not verdicts["mistake", "passed"]


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100)
