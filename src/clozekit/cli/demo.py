"""`cloze demo`: one torch and one Triton exercise, each refused at its blank, refused at a mistake, passed."""

import tempfile
from pathlib import Path

import click

from clozekit import blanks, phrases, render, submission
from clozekit.catalog import builtin_root
from clozekit.cli.common import console
from clozekit.engine import Engine
from clozekit.exercise import Exercise

STORY = {"normalization/rms_norm": "eps_outside_sqrt", "triton/fused_softmax": "forgets_max"}


def tell(language: str) -> int:
    """Grade the six files for real and show what a learner sees. 0 if every verdict is the one announced."""
    out = console()
    unexpected = 0
    with tempfile.TemporaryDirectory(prefix="cloze-demo-") as folder, Engine() as engine:
        for id, mistake in STORY.items():
            exercise = Exercise(builtin_root(), id)
            steps = {
                "demo-blank": (exercise.render("guided", language), "failed", None),
                "demo-mistake": (exercise.mistaken(exercise.mistakes[mistake]), "failed", mistake),
                "demo-solution": (blanks.reveal(exercise.solution), "passed", None),
            }
            for phrase, (source, verdict, named) in steps.items():
                path = Path(folder, f"{exercise.name}.py")
                path.write_text(source, "utf-8")
                out.print(f"\n[bold]{phrases.say(language, phrase)}[/]")
                click.echo(f"$ cloze check {exercise.id}.py")
                report = engine.grade(exercise, submission.read(path))
                out.print(render.as_text(report, exercise, language, "all"))
                unexpected += (report.verdict, report.mistake) != (verdict, named)
    out.print(f"\n{phrases.say(language, 'demo-end')}")
    return 1 if unexpected else 0
