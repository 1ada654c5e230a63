"""cloze grade, killed again and again at a random step: python killed_classes.py CONTENT CLASS OUT URL KILLS SEED

The judge is a stub, so that a step takes no time; all else is the command itself. It counts what happens from the N-th grading
on (a grading begins or ends, a statement is sent to the database, a commit, a file is opened or renamed, a line is told) and
ends by SIGKILL at the M-th of these. Each run is a fork of this process, which prints what it found between them:

    {"graded": [[digest, …] of each run], "held": [[key, …] after each kill], "killed": 20}
"""

import hashlib
import json
import os
import random
import signal
import sys
import threading
from types import SimpleNamespace

import sqlalchemy as sql

from clozekit import engine
from clozekit.classroom.store import Store, results
from clozekit.cli import main, teacher
from clozekit.report import Report, Result


class Steps:
    """Counts down to the end of this process."""

    def __init__(self, gradings, further):
        self.gradings, self.further, self.lock = gradings, further, threading.Lock()

    def graded(self):
        with self.lock:
            self.gradings -= 1

    def step(self, *_):
        with self.lock:
            if self.gradings <= 0:
                self.further -= 1
            if self.further < 0:
                os.kill(os.getpid(), signal.SIGKILL)


class Judge:
    """What `cloze grade` asks of an Engine. It writes down what it was asked, as a last act that no kill takes back."""

    steps = None
    log = -1
    found = SimpleNamespace(layers=SimpleNamespace(tier="A"))

    def __init__(self, seed):
        self.seed = seed

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def tier(self):
        return "A"

    def grade(self, exercise, upload, processor, device):
        self.steps.step()
        digest = hashlib.sha256(upload.raw).hexdigest()
        os.write(self.log, f"{digest}\n".encode())
        self.steps.graded()
        self.steps.step()
        verdict = "passed" if int(digest, 16) % 3 else "failed"
        tests = [Result(f"test {number}", verdict) for number in range(3)]
        return Report(exercise.id, verdict, "A", tests, seconds=random.random())


def run(arguments, log, gradings, further):
    """One run in a process of its own; whether it was killed."""
    child = os.fork()
    if not child:
        steps = Judge.steps = Steps(gradings, further)
        Judge.log = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        for event in ("before_cursor_execute", "after_cursor_execute", "commit"):
            sql.event.listen(sql.Engine, event, steps.step)
        sys.addaudithook(lambda event, _: steps.step() if event in ("open", "os.rename") else None)
        engine.Engine, teacher._progress = Judge, steps.step
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        main(arguments)
    status = os.waitpid(child, 0)[1]
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0, status
    return os.WIFSIGNALED(status)


def killed(content, folder, out, url, kills, seed):
    random.seed(seed)
    arguments = ["grade", folder, "--out", out, "--store", url, "--content", content, "--seed", "7", "--lang", "en"]
    size = len({path for path, _, files in os.walk(folder) if files})
    log, found = f"{out}.log", {"graded": [], "held": [], "killed": 0}
    before = 0
    while True:
        last = len(found["graded"]) == kills
        share = size // (kills + 1)
        gradings = random.randrange(share // 2, share) if kills and not last else 10**9
        found["killed"] += run(arguments, log, gradings, random.randrange(60))
        with open(log) as file:
            graded = file.read().split()
        found["graded"].append(graded[before:])
        before = len(graded)
        if last:
            return found
        with Store(url) as store, store.reading() as connection:
            found["held"].append(sorted(connection.scalars(sql.select(results.c.key))))


if __name__ == "__main__":
    content, folder, out, url, kills, seed = sys.argv[1:]
    print(json.dumps(killed(content, folder, out, url, int(kills), int(seed))))
