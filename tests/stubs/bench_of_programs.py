"""A stub of `clozekit.bench.runner`: a device made of Triton's interpreter, on which the last program of a launch runs first.

    python -m bench_of_programs FD

It knows a kernel by the file that its PTX names, and takes that file's text from a directory of the test's. A comment in it says
what the device does when such a kernel is launched: `# DEVICE: illegal`, or another of ACTIONS.
"""

import os
import re
import signal
import socket
import sys
from pathlib import Path

from clozekit.bench import runner
from clozekit.bench.job import Opened
from clozekit.bench.planned import Fault
from clozekit.bench.process import Machine
from clozekit.kernels import alone, interpret
from clozekit.kernels.replay import reverse
from clozekit.wire import Channel

SOURCES = Path(os.environ["HOME"])  # of what the judge's processes may know of their surroundings


class Programs:
    """A launcher that runs the source in place of its code."""

    def bind(self, step, compiled, memory):
        names = re.findall(r'\.file\s+\d+ "(\w+\.py)"', compiled[1].decode())
        (name,) = {name for name in names if (SOURCES / name).exists()}
        source = (SOURCES / name).read_text("utf-8")
        kernels = alone.load(source, name)

        def launch():
            for does in re.findall(r"# DEVICE: (\w+)", source):
                ACTIONS[does]()
            memory.kernels = kernels
            with interpret.ordered(reverse):
                memory.do(step)

        return launch

    def wait(self):
        pass


def illegal():
    raise Fault("an illegal memory access was encountered (700)")


def full():
    raise RuntimeError("CUDA out of memory")


ACTIONS = {
    "hangs": signal.pause,
    "illegal": illegal,
    "dies": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "full": full,
}


class Board:
    name = f"stub-{os.getpid()}"


def stub():
    (SOURCES / f"started-{len(list(SOURCES.glob('started-*'))) + 1}").write_text(f"{os.getpid()}")
    if (SOURCES / "missing").exists():
        raise RuntimeError("no CUDA device 0")
    return Machine(Board(), Programs(), "cpu"), Opened((9, 0), 12080)


if __name__ == "__main__":
    interpret.install()
    runner.serve(Channel(socket.socket(fileno=int(sys.argv[1]))), stub)
