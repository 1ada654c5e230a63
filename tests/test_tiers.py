"""What is promised at each tier, and what is lost: at B by the attacks that A refuses, at C by harmless probes.

At A and B the real attacks run. Unconfined code gets no attack to run, only probes that do no harm where they succeed.
"""

import contextlib
import inspect
import json
import os
import subprocess
import textwrap
from pathlib import Path

import pytest

from clozekit.engine import Engine
from clozekit.submission import Upload

ATTACKS = Path(__file__).parent / "attacks/normalization/rms_norm"

# Attacks that the sandbox refuses, not only the rules: with the rules' findings left out, every test of them still fails.
CONFINED = """
    reads_the_password_file reads_the_solution reads_the_neighbours_scratch reads_its_parents_memory
    reads_the_environment_of_others writes_a_conftest writes_into_site_packages leaves_notes_between_workers
    kills_its_parent stops_its_parent signals_its_group traces_its_parent outlives_its_parent orphan_holds_the_pipe
    fork_bomb executes_a_program opens_a_socket abstract_socket
    memory_hog memory_in_pieces lifts_its_limits inode_filler
""".split()
LOST_AT_B = {"inode_filler"}  # there is no disk of its own; only each file is bounded


@pytest.fixture(scope="module")
def without(engine):
    """without("seccomp"): a warm judge without these layers. A test is skipped if this machine lacks one of the others."""
    with contextlib.ExitStack() as engines:
        made = {(): engine}

        def find(*layers):
            if layers not in made:
                made[layers] = engines.enter_context(Engine(without=layers))
            made[layers].tier()
            if missing := made[layers].found.missing.keys() - set(layers):
                pytest.skip(f"this machine has no {', '.join(missing)}")
            return made[layers]

        yield find


@pytest.mark.parametrize("name", CONFINED)
@pytest.mark.parametrize("tier", ["A", "B"])
def test_refused_by_the_sandbox(tier, name, without, rms_norm):
    engine = without() if tier == "A" else without("namespaces")
    assert engine.tier() == tier
    upload = Upload("answer.py", (ATTACKS / f"{name}.py").read_bytes())
    report = engine.grade(rms_norm, upload, diagnose=False, stop_at_first=True)
    refused = {test.verdict for test in report.tests} == {"failed"}
    assert refused == (tier == "A" or name not in LOST_AT_B), report.tests


def probe(grader, outside, pid):
    """What a submission can do here, of things that do no harm. It is copied into one."""
    import os
    import resource
    import socket
    from pathlib import Path

    import torch

    def fork():
        if os.fork() == 0:
            os._exit(0)

    def fill():
        for number in range(5):
            with open(f"fill{number}", "wb") as file:
                file.write(bytes(16 << 20))

    things = {
        "read a grader": lambda: Path(grader).read_text(),
        "list a directory outside": lambda: os.listdir(outside),
        "write outside its scratch": lambda: open(f"{outside}/left", "w").close(),
        "know a process of the machine": lambda: os.stat(f"/proc/{pid}"),
        "fork": fork,
        "start a program": lambda: os.posix_spawn("/bin/true", ["true"], {}),
        "make a socket": lambda: socket.socketpair()[0].close(),
        "change a mode": lambda: os.chmod(".", 0o700),
        "fill more than its disk": fill,
        "take 16 GB": lambda: torch.empty(16 << 30, dtype=torch.uint8),
        "raise its limits": lambda: resource.setrlimit(resource.RLIMIT_AS, (-1, -1)),
        "see an environment": lambda: os.environ["HOME" if os.environ["HOME"] != os.getcwd() else "USER"],
        "see its judge's arguments": lambda: __import__("sys").argv[1],
    }
    done = []
    for name, do in things.items():
        try:
            do()
        except Exception:
            continue
        done.append(name)
    return done


FILES = {"read a grader", "list a directory outside", "write outside its scratch"}
CALLS = {"fork", "start a program", "make a socket", "change a mode"}
NAMES = {"know a process of the machine", "fill more than its disk"}

# The layers left out, the tier, and all that a submission can do there. What no line has is promised everywhere.
TIERS = [
    ((), "A", set()),
    (("namespaces",), "B", NAMES),
    (("landlock",), "C", FILES),
    (("seccomp",), "C", CALLS - {"start a program"}),
    (("namespaces", "landlock", "seccomp"), "C", NAMES | FILES | CALLS),
]


@pytest.mark.parametrize(("layers", "tier", "lost"), TIERS, ids=[" and ".join(layers) or "all" for layers, *_ in TIERS])
def test_what_a_submission_can_do_without(layers, tier, lost, without, author, tmp_path):
    exercise = author(grader="def test_one(check):\n    check('square', 1.0, returns=2.0)\n")
    engine = without(*layers)
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as bystander:
        arguments = (str(exercise.grader_path), str(tmp_path), bystander.pid)
        source = (
            f"import json\n\n{textwrap.dedent(inspect.getsource(probe))}\n"
            f"print(json.dumps(probe{arguments}))\n\ndef square(x):\n    return 2 * x * x\n"
        )
        report = engine.grade(exercise, Upload("answer.py", source.encode()))
    test = report.tests[0]
    assert (report.tier, test.verdict) == (tier, "passed"), test.problem
    assert set(json.loads(test.output)) == lost
    assert os.listdir(tmp_path) == (["left"] if "write outside its scratch" in lost else [])
