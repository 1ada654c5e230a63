"""Draw docs/check.svg: a real run of `cloze check` on a file with a real mistake.

python docs/make_picture.py
"""

import io
import re
from pathlib import Path

from rich.console import Console

from clozekit import render, submission
from clozekit.catalog import builtin_root
from clozekit.engine import Engine
from clozekit.exercise import Exercise

SEED = 2026
EXERCISE, MISTAKE = "attention/multi_head_attention", "scales_by_d_model"


def main() -> None:
    exercise = Exercise(builtin_root(), EXERCISE)
    source = exercise.mistaken(exercise.mistakes[MISTAKE])
    with Engine(SEED) as engine:
        report = engine.grade(exercise, submission.Upload(f"{exercise.name}.py", source.encode()))
    console = Console(record=True, width=110, file=io.StringIO(), highlight=False)
    console.print(f"[bold]$[/] cloze check {EXERCISE}.py")
    console.print(render.as_text(report, exercise, "en", "all"))
    picture = re.sub(
        r"@font-face \{.*?\}\s*", "", console.export_svg(title="clozekit"), flags=re.S
    )  # no font is fetched
    Path(__file__).with_name("check.svg").write_text(picture, "utf-8")


if __name__ == "__main__":
    main()
