"""How long a learner waits at a watch, from the save to the report; what the watch costs while nobody saves.

    python benchmarks/watch.py [ROUNDS]

The ten tests of latency.py, asked for as a learner does: a file is written, and `cloze watch --json` answers by a line. Beside
it `cloze check` in the same workspace, which uses the judge of the watch, and a cold pytest of the same tests, in turns.
Memory: of all processes of the watch, proportional set size, so that pages which they share count once.
"""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from latency import cold_pytest, course, tell

from clozekit.workspace import Workspace

CLOZE = [sys.executable, "-m", "clozekit"]
IDLE = 5.0  # seconds


def main(rounds: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        exercise = course(root)
        workspace = Workspace.create(root / "work", "en", "guided")
        workspace.write_starter(exercise)
        file, source = workspace.file(exercise), (root / "cold/submission.py").read_text()
        options = {"cwd": workspace.root, "env": os.environ | {"TMPDIR": folder, "CLOZE_CONTENT": folder}}
        watch = subprocess.Popen(
            [*CLOZE, "watch", exercise.id, "--json"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            **options,
        )
        try:
            watch.stderr.readline()  # it is warm

            def save(number: int) -> float:
                began = time.perf_counter()
                file.write_text(f"{source}# {number}\n")
                assert json.loads(watch.stdout.readline())["verdict"] == "passed"
                return time.perf_counter() - began

            def check() -> float:
                began = time.perf_counter()
                subprocess.run([*CLOZE, "check", exercise.id], check=True, capture_output=True, **options)
                return time.perf_counter() - began

            save(0)
            times = {"save to report": [], "cloze check": [], "cold pytest": []}
            for number in range(rounds):
                times["save to report"] += [save(10 * number + each) for each in range(10)]
                times["cloze check"] += [check() for _ in range(3)]
                times["cold pytest"].append(cold_pytest(root))
            tell(times)
            processes = members(folder)
            for kind in ("Pss:", "Rss:"):
                print(
                    f"{kind[:-1].upper()} of an idle watch, {len(processes)} processes {memory(processes, kind):6.0f} MB"
                )
            before = processor_time(processes)
            time.sleep(IDLE)
            print(f"processor while idle {100 * (processor_time(processes) - before) / IDLE:.2f} %")
        finally:
            watch.terminate()
            watch.communicate()


def members(folder: str) -> list[int]:
    """All processes of the watch: those that have our directory for temporary files."""
    wanted = f"TMPDIR={folder}".encode()
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            if wanted in path.read_bytes().split(b"\0"):
                found.append(int(path.parent.name))
        except OSError:  # another one's, or gone
            continue
    return found


def memory(processes: list[int], kind: str) -> float:
    rollups = set()  # a guard has the zygote's own memory
    for pid in processes:
        with contextlib.suppress(OSError):  # it has ended meanwhile
            rollups.add(Path(f"/proc/{pid}/smaps_rollup").read_text())
    return sum(int(line.split()[1]) for text in rollups for line in text.splitlines() if line.startswith(kind)) / 1000


def processor_time(processes: list[int]) -> float:
    ticks = [Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13] for pid in processes]
    return sum(int(each) for both in ticks for each in both) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10)
