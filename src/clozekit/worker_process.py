"""A fork of the zygote becomes a worker: four descriptors, an empty environment, a sandbox; it serves one submission and dies.

run(channel, output, Limits(), "/tmp/cloze-x1y2z3/tmpabc", prepared)        never returns
"""

import fcntl
import os
import resource
import signal
import socket
import sys
import tempfile
from collections.abc import Iterable

import msgspec
import torch

from clozekit import calls, gpu
from clozekit.exercise import Policy
from clozekit.phrases import table
from clozekit.protocol import Analyse, Limits, Ready
from clozekit.sandbox import Prepared, enter, grants
from clozekit.traces import Trace
from clozekit.wire import Channel, Gone
from clozekit.worker import MODULE, Worker, analyse

VISIBLE = ("CUDA_VISIBLE_DEVICES", "CUDA_DEVICE_ORDER")  # which GPUs there are
CHANNEL = 3  # the descriptor of the channel, above stdin, stdout and stderr


def run(channel: int, output: int, limits: Limits, scratch: str, prepared: Prepared) -> None:
    """Turn this fork of the zygote into a worker and serve until the other side closes. Never returns."""
    prepared = prepared._replace(rules=descriptors(channel, output, prepared.rules))
    sock = socket.socket(fileno=CHANNEL)
    surroundings(scratch, VISIBLE if limits.device else ())
    if limits.device:
        os.environ.update(gpu.ENVIRONMENT)
    enter(prepared, limits, scratch)
    if limits.device:
        gpu.start(limits.device)
    torch.set_num_threads(limits.threads)
    torch.default_generator.seed()
    torch._C._set_deterministic_algorithms(True, warn_only=True)  # torch.empty is NaN: what is never written shows
    frames = Channel(sock)
    frames.send(Ready())
    status = 70  # of a worker that the learner's code broke: our traceback would tell that learner nothing
    try:
        Worker(limits.device or "cpu").serve(frames)
    except Gone:
        status = 0
    finally:
        os._exit(status)


def descriptors(channel: int, output: int, rules: int) -> int:
    """Keep four descriptors: nothing to read, the output pipe twice, the channel; and `rules`, if there are any.

    Returns:
        Where the rules are now. To confine the worker closes them.
    """
    null = os.open(os.devnull, os.O_RDONLY)
    wanted = (null, output, output, channel, *([rules] if rules >= 0 else []))
    away = [fcntl.fcntl(descriptor, fcntl.F_DUPFD, len(wanted)) for descriptor in wanted]
    for target, source in enumerate(away):
        os.dup2(source, target)
    os.closerange(len(wanted), resource.getrlimit(resource.RLIMIT_NOFILE)[0])
    sys.stdin, sys.stdout, sys.stderr = open(0), open(1, "w", buffering=1), open(2, "w", buffering=1)  # noqa: SIM115
    return CHANNEL + 1 if rules >= 0 else rules


def surroundings(scratch: str, kept: Iterable[str] = ()) -> None:
    """An empty environment but for what is kept, and one directory to write to."""
    os.chdir(scratch)
    environment = {name: os.environ[name] for name in kept if name in os.environ}
    os.environ.clear()
    os.environ.update(environment)
    os.environ.update(HOME=scratch, TMPDIR=scratch, TRITON_CACHE_DIR=scratch, LANG="C.UTF-8", PATH="")
    os.environ["PYTORCH_JIT"] = "0"  # torch asks for it late; `torch.jit.script` gives its function back, to be traced
    torch.jit._state.disable()
    tempfile.tempdir = None
    sys.argv = [MODULE]
    grants.Granted.install()
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def warm() -> None:
    """Do once, in the zygote, what the first file of every worker and tester would wait for: it is inherited."""
    analyse(Analyse("warm.py", Policy()), b"import torch\n\n\ndef f(x):\n    return torch.exp(x)\n")
    with Trace() as trace:  # to name functions, torch makes a list of them all
        torch.ones(2).exp()
    trace.names()
    table("en")  # which a refusal is told with, and a confined worker cannot read
    for type in (Analyse | calls.Request, calls.Reply):
        msgspec.msgpack.Decoder(type)
    if interpret := sys.modules.get("clozekit.kernels.interpret"):
        interpret.install()
