"""The Grading behind an ordinary pytest run: this pytest process is the trusted side, and owns a small engine."""

import pytest

from clozekit.engine import Engine, worker_limits
from clozekit.exercise import Exercise
from clozekit.grading.grading import Grading, Source, measures
from clozekit.submission import parse, read

GRADINGS: pytest.StashKey[dict[str, Grading]] = pytest.StashKey()


def local_grading(request: pytest.FixtureRequest) -> Grading:
    """One Grading a grader file, kept for the run."""
    config, path = request.config, request.path
    gradings = config.stash.setdefault(GRADINGS, {})
    if str(path) not in gradings:
        exercise = Exercise(path.parents[2], f"{path.parent.name}/{path.stem.removeprefix('test_')}")
        if not config.stash.get(ENGINE, None):
            config.stash[ENGINE] = engine = Engine()
            config.add_cleanup(engine.close)
        limits = worker_limits(exercise)
        upload = read(config.getoption("--submission") or exercise.solution_path)
        submission = parse(upload.raw, upload.name)
        gradings[str(path)] = Grading(
            lambda: config.stash[ENGINE].spawn_worker(limits),
            Source(submission.source, submission.name, forbidden=frozenset(exercise.sheet.policy.forbid)),
            limits,
            config.getoption("--seed"),
            {},
            *measures(
                exercise.solution,
                exercise.sheet.thresholds,
                exercise.sheet.policy.kernel,
                config.getoption("--seed"),
            ),
        )
        config.add_cleanup(gradings[str(path)].close)
    return gradings[str(path)]


ENGINE: pytest.StashKey[Engine] = pytest.StashKey()
