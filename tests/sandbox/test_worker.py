"""What honest code does must work in a confined worker, at each tier. A real one, with torch, from a real judge."""

import inspect
import json
import os
import textwrap
from pathlib import Path

import pytest

import clozekit
from clozekit.calls import Call
from clozekit.catalog import builtin_root
from clozekit.engine import Engine
from clozekit.grading.candidate import Candidate
from clozekit.protocol import Layers, Limits

LAYERS = {"A": set(Layers.__struct_fields__), "B": {"landlock", "seccomp"}}

HONEST = {
    "operations on two threads": """
        torch.set_num_threads(2)
        a = torch.randn(600, 600)
        assert torch.allclose((a @ a).sum(), a.sum(0) @ a.sum(1), rtol=1e-2)
        torch.randn(1 << 21).sum()
        """,
    "gradients": """
        a = torch.randn(300, 300, requires_grad=True)
        (a @ a).relu().sum().backward()
        assert a.grad.shape == a.shape
        """,
    "linear algebra": """
        a = torch.randn(60, 60)
        for function in (torch.linalg.svd, torch.linalg.qr, torch.linalg.eigvals, torch.fft.fft2, torch.linalg.inv):
            function(a)
        """,
    "half precision": """
        a = torch.randn(128, 128, dtype=torch.bfloat16)
        torch.nn.functional.scaled_dot_product_attention(*[a.view(1, 2, 64, 128)] * 3)
        torch.nn.functional.conv2d(a.float().view(1, 1, 128, 128), torch.ones(4, 1, 3, 3))
        """,
    "a step of an optimizer": """
        layer = torch.nn.TransformerEncoderLayer(16, 2, batch_first=True)
        optimizer = torch.optim.AdamW(layer.parameters())
        layer(torch.randn(2, 3, 16)).sum().backward()
        optimizer.step()
        """,
    "function transforms": """
        from torch.func import jacrev, vmap
        vmap(torch.sin)(torch.randn(3, 3))
        jacrev(torch.sin)(torch.randn(3))
        """,
    "scripted functions": """
        layer = torch.jit.script(torch.nn.Linear(2, 2))
        for _ in range(3):
            layer(torch.ones(2))
        """,
    "checkpointing and a data loader": """
        from torch.utils.checkpoint import checkpoint
        from torch.utils.data import DataLoader, TensorDataset
        x = torch.randn(6, requires_grad=True)
        checkpoint(torch.sin, x, use_reentrant=False).sum().backward()
        assert len(list(DataLoader(TensorDataset(x), batch_size=3, shuffle=True))) == 2
        """,
    "NumPy": """
        import numpy as np
        a = np.random.default_rng().standard_normal((200, 200))
        np.linalg.svd(a)
        np.save("a.npy", a)
        assert (np.load("a.npy") == a).all()
        """,
    "files in scratch": """
        import pathlib, tempfile
        torch.save({"a": torch.ones(3)}, "a.pt")
        assert torch.load("a.pt")["a"].sum() == 3
        with tempfile.TemporaryDirectory() as folder, tempfile.NamedTemporaryFile("w") as file:
            file.write("text")
            pathlib.Path(folder, "below").mkdir()
            pathlib.Path(folder, "a").write_text("text")
            pathlib.Path(folder, "a").rename(pathlib.Path(folder, "below", "b"))
            assert [path.name for path in pathlib.Path(folder).rglob("*")] == ["below", "b"]
        """,
    "imports from the standard library": """
        import bz2, collections, concurrent.futures, csv, ctypes, dataclasses, decimal, doctest, email.message, fractions
        import functools, graphlib, gzip, hashlib, heapq, html.parser, http.client, itertools, json, locale, logging.config
        import lzma, math, multiprocessing, pickle, queue, random, re, sqlite3, ssl, statistics, string, tomllib, unicodedata
        import unittest.mock, uuid, wave, xml.etree.ElementTree, zipfile, zoneinfo
        zoneinfo.ZoneInfo("Europe/Berlin")
        uuid.uuid4(), random.SystemRandom().random()
        """,
    "imports of packages that torch brings": """
        import fsspec, functorch, jinja2, markupsafe, mpmath, networkx, sympy, typing_extensions
        networkx.path_graph(3)
        sympy.simplify("x + x")
        jinja2.Template("{{ a }}").render(a=1)
        """,
    "an import of what may be missing": """
        try:
            import colorama
        except ImportError:
            colorama = None
        """,
    "threads and locks": """
        import threading
        from concurrent.futures import ThreadPoolExecutor
        lock, seen = threading.Lock(), []
        def add(i):
            with lock:
                seen.append(i)
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(add, range(50)))
        assert sorted(seen) == list(range(50))
        """,
    "prints and warnings": """
        import sys, warnings
        print("hello", flush=True)
        sys.stderr.write("and to the other\\n")
        warnings.warn("careful")
        """,
    "questions about the machine": """
        import getpass, os, platform, shutil, sys, time
        os.cpu_count(), os.sched_getaffinity(0), os.getcwd(), os.path.expanduser("~"), platform.platform()
        shutil.get_terminal_size(), time.localtime(), time.process_time(), sys.stdout.isatty()
        torch.__config__.parallel_info(), torch.cuda.is_available(), torch.backends.cpu.get_cpu_capability()
        """,
    "timers": """
        import signal
        signal.signal(signal.SIGALRM, lambda *_: None)
        signal.setitimer(signal.ITIMER_REAL, 0.001)
        """,
    "native callbacks": """
        import ctypes
        assert ctypes.CFUNCTYPE(ctypes.c_int)(lambda: 3)() == 3
        """,
    "the source of its own functions": """
        import inspect
        assert "return inspect" in inspect.getsource(own_source)
        """,
    "a kernel": """
        x = torch.randn(1000)
        y = torch.empty_like(x)
        double[(4,)](x, y, 1000, BLOCK=256)
        assert torch.equal(y, x + x)
        """,
}

KERNEL = """
import triton
import triton.language as tl


@triton.jit
def double(x, y, size, BLOCK: tl.constexpr):
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    tl.store(y + at, 2 * tl.load(x + at, at < size, 0.0), at < size)
"""


OWN_SOURCE = """
def own_source():
    return inspect
"""
RUN = """
def run():
    pass
"""


@pytest.fixture(scope="module", params=LAYERS)
def confined(request):
    """A worker of each tier that this machine has, in turns."""
    with Engine(without=set(Layers.__struct_fields__) - LAYERS[request.param]) as engine:
        engine.spawn_worker(Limits()).end()
        if engine.found.layers.tier != request.param:
            pytest.skip(f"this machine has no tier {request.param}: {engine.found.missing}")
        yield engine


@pytest.mark.parametrize("name", HONEST)
def test_honest_code_with(name, confined):
    if name == "a kernel":
        pytest.importorskip("triton")
    body = textwrap.indent(textwrap.dedent(HONEST[name]), "    ")
    source = f"import torch\n{KERNEL if name == 'a kernel' else ''}\n{OWN_SOURCE}\ndef work():\n{body}\n\nwork()\n{RUN}"
    candidate = Candidate(lambda: confined.spawn_worker(Limits()), source, "answer.py", Limits())
    answer = candidate.ask(Call(0, "run", None, [], {}), [])
    candidate.stop()
    assert answer.problem is None, f"{answer.problem.facts.get('text')}\n{answer.problem.facts.get('frames')}"


MODULES = f"""
import sys
import torch
{KERNEL}
before = set(sys.modules)
x = torch.randn(1000, requires_grad=True)
(x * x).sum().backward()
double[(4,)](x.detach(), torch.empty(1000), 1000, BLOCK=256)


def run():
    return sorted(name for name in set(sys.modules) - before if name.startswith("clozekit"))
"""


def test_a_worker_needs_none_of_our_files(confined):
    """All of our modules that it will ever import are there before it is confined."""
    pytest.importorskip("triton")
    candidate = Candidate(lambda: confined.spawn_worker(Limits()), MODULES, "answer.py", Limits())
    answer = candidate.ask(Call(0, "run", None, [], {}), [])
    candidate.stop()
    assert (answer.problem, answer.value) == (None, [])


def pried(paths):
    """What a submission gets that opens or lists paths."""
    found = {}
    for path in paths:
        try:
            found[path] = len(os.listdir(path) if os.path.isdir(path) else open(path, "rb").read())
        except OSError as error:
            found[path] = type(error).__name__
    return found


def test_a_worker_reads_nothing_that_is_ours_or_yours(confined):
    root = builtin_root()
    packages = Path(pytest.__file__).parent.parent
    content = [path for name in ("exercises", "graders", "kernels", "solutions") for path in (root / name).rglob("*")]
    ours = [*content, root, *Path(clozekit.__file__).parent.rglob("*.py"), packages, packages / "pytest/__init__.py"]
    yours = [
        Path.home(),
        Path("/etc/passwd"),
        Path("/"),
        Path(confined.home),
        Path("/proc/self/environ"),
        Path("/proc/1/mem"),
    ]
    paths = [str(path) for path in (*ours, *yours) if path.exists()]
    source = f"import json, os\n\n{inspect.getsource(pried)}\ndef run():\n    return json.dumps(pried({paths}))\n"
    candidate = Candidate(lambda: confined.spawn_worker(Limits()), source, "answer.py", Limits())
    answer = candidate.ask(Call(0, "run", None, [], {}), [])
    candidate.stop()
    assert answer.problem is None, answer.problem
    found = json.loads(answer.value)
    assert {path: got for path, got in found.items() if got != "PermissionError"} == {}
    assert len(found) > 100
