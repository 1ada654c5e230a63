"""A worker whose tensors lie on a device. "meta" is one that computes nothing, "cpu" one that is no other place than usual."""

import socket
import subprocess
import sys
import threading
import types

import pytest
import torch
from torch._subclasses import FakeTensorMode

from clozekit import blanks, calls, values
from clozekit.catalog import builtin_root
from clozekit.describe import describe, next_step
from clozekit.exercise import LANGUAGES, Exercise
from clozekit.grading.candidate import Candidate, raised
from clozekit.grading.check import NOBODYS
from clozekit.grading.compare import difference
from clozekit.grading.questions import encode
from clozekit.grading.tolerance import expect
from clozekit.protocol import Limits, Ready
from clozekit.submission import Upload
from clozekit.wire import Channel
from clozekit.worker import Worker

TORCH = (
    "normalization/rms_norm",
    "attention/multi_head_attention",
    "attention/kv_cache",
    "sampling/top_p",
    "alignment/dpo",
)
X = torch.arange(6.0).reshape(2, 3)


def asked(worker: Worker, request: calls.Request, buffers: list) -> calls.Reply:
    payload = bytearray().join(bytes(buffer) for buffer in buffers)
    return worker.answer(request, values.Reader(payload, worker.held, True, worker.device), [])


@pytest.fixture
def there():
    """there(source): a worker with this file, whose device is "meta"."""

    def there(source: str) -> Worker:
        worker = Worker("meta")
        worker.load(calls.Load(0, f"import torch\n{source}", "answer.py"))
        return worker

    return there


@pytest.mark.parametrize(
    "x", [X, X.T, X[:, ::2], X[:1].expand(4, 3), torch.empty(0, 3), X > 2, torch.tensor(2.0), X.half()]
)
def test_arguments_lie_on_the_device_as_they_did_before(x):
    buffers: list = []
    sent = values.encode(x, buffers, strided=True)
    payload = bytearray().join(bytes(buffer) for buffer in buffers)
    arrived = values.Reader(payload, strided=True, device="meta").decode(sent)
    assert (arrived.device.type, arrived.dtype, arrived.shape) == ("meta", x.dtype, x.shape)
    assert not x.numel() or arrived.stride() == x.stride()


def test_all_that_a_function_gets_is_on_the_device(there):
    worker = there("def f(x, pair, y=None):\n    raise ValueError([str(t.device) for t in (x, *pair, y)])")
    with pytest.raises(ValueError, match=r"\['meta', 'meta', 'meta', 'meta'\]"):
        asked(worker, *encode(None, "f", (X, (X, X)), {"y": X}))


def test_a_module_moves_with_its_parameters_and_buffers(there):
    worker = there(
        "class M(torch.nn.Module):\n"
        "    def __init__(self):\n"
        "        super().__init__()\n"
        "        self.inner = torch.nn.Linear(3, 3)\n"
        "        self.register_buffer('mask', torch.ones(3))\n"
    )
    asked(worker, *encode(None, "M", (), {}, keep=1))
    module = worker.held[1]
    assert {leaf.device.type for leaf in (*module.parameters(), *module.buffers())} == {"meta"}
    drawn = {"inner.weight": torch.ones(3, 3), "inner.bias": torch.ones(3)}
    buffers: list = []
    encoded = {name: values.encode(value, buffers) for name, value in drawn.items()}
    assert isinstance(asked(worker, calls.Parameters(0, 1, encoded), buffers), calls.Returned)
    assert module.inner.weight.device.type == "meta"


def test_an_answer_is_fetched_from_the_device_and_from_no_other():
    with pytest.raises(NotImplementedError, match="Cannot copy out of meta tensor"):
        values.encode([X.to("meta")], [], devices={"meta"})
    assert values.encode({"y": X}, [], devices={"cuda"}).items[1] == values.Foreign("a tensor on device cpu", "cpu")


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_answer_on_another_device_is_told_so(language):
    found = difference((2, values.Foreign("a tensor on device cpu", "cpu")), expect(lambda x: (2, x), [X]))
    assert (found.kind, found.where, found.yours) == ("device", "[1]", "cpu")
    problem = raised(calls.Raised(0, "RuntimeError", "indices should be on the same device", ""))
    assert "device=x.device" in next_step(problem, language)


SAID = [
    "indices should be either on cpu or on the same device as the indexed tensor (cpu)",
    "Expected a 'cuda' device type for generator but found 'cpu'",
    "can't convert cuda:0 device type tensor to numpy. Use Tensor.cpu() to copy the tensor to host memory first.",
    "Input type (torch.cuda.FloatTensor) and weight type (torch.FloatTensor) should be the same",
]


def test_a_tensor_made_elsewhere_is_torchs_error_and_our_advice():
    with FakeTensorMode():  # as torch says it on a machine that has one
        x, y = torch.ones(2, device="cuda"), torch.ones(2)
        try:
            x + y
        except RuntimeError as error:
            said = str(error)
    for text in (said, *SAID):
        problem = raised(calls.Raised(0, "RuntimeError", text, '  File "answer.py", line 3, in f\n'))
        assert problem.kind == "devices"
        assert text in describe(problem, "en")
        assert "line 3" in describe(problem, "en")


def test_memory_that_somebody_else_may_have_is_nobodys_fault():
    problem = raised(calls.Raised(0, "OutOfMemoryError", "CUDA out of memory. Tried to allocate 20.00 GiB.", ""), True)
    assert problem.kind in NOBODYS
    assert "20.00 GiB" in describe(problem, "zh")


class Peer:
    """A worker that loads what it is told, then raises and is lost."""

    def __init__(self):
        ours, theirs = socket.socketpair()
        self.channel, self.output = ours.detach(), socket.socketpair()[0].detach()
        self.ended = False
        threading.Thread(target=self.serve, args=(Channel(theirs),), daemon=True).start()

    def serve(self, channel):
        channel.send(Ready())
        request, _, _ = channel.receive(calls.Load)
        channel.send(calls.Returned(request.nonce))
        request, _, _ = channel.receive(calls.Call)
        channel.send(calls.Raised(request.nonce, "AcceleratorError", "device-side assert triggered", "", lost=True))

    def end(self, at_once):
        self.ended = True


def test_a_worker_that_lost_its_device_is_replaced():
    peers = []

    def spawn():
        peers.append(Peer())
        return peers[-1]

    candidate = Candidate(spawn, "", "answer.py", Limits())
    for count in (1, 2):
        answer = candidate.ask(calls.Call(0, "f", None, [], {}), [])
        assert (answer.problem.kind, len(peers), peers[-1].ended) == ("raised", count, True)


def test_a_worker_on_a_device_computes_in_the_dtype_that_it_says():
    """In a process of its own: these settings are for good."""
    code = """if True:
        import torch
        from clozekit import gpu
        gpu.start("cpu")
        matmul = torch.backends.cuda.matmul
        assert not (matmul.allow_tf32 or torch.backends.cudnn.allow_tf32)
        assert not (matmul.allow_fp16_reduced_precision_reduction or matmul.allow_bf16_reduced_precision_reduction)
    """
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_worker_on_a_device_waits_for_each_operator(engine):
    source = "import os\n\ndef f():\n    return dict(os.environ)\n"
    limits = Limits(device="cpu")
    candidate = Candidate(lambda: engine.spawn_worker(limits), source, "answer.py", limits)
    try:
        seen = candidate.ask(calls.Call(0, "f", None, [], {}), []).value
    finally:
        candidate.stop()
    assert seen["CUDA_LAUNCH_BLOCKING"] == "1"


def test_who_asks_for_no_device_imports_nothing_of_it():
    code = """if True:
        import sys
        import clozekit.cli, clozekit.engine, clozekit.tester, clozekit.worker
        late = ("clozekit.bench.", "clozekit.grading.on_device")
        assert not [name for name in sys.modules if name.startswith(late)]
    """
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("name", TORCH)
def test_solutions_pass_in_a_worker_that_has_a_device(name, engine):
    exercise = Exercise(builtin_root(), name)
    upload = Upload("answer.py", blanks.reveal(exercise.solution).encode())
    report = engine.grade(exercise, upload, device="cpu", diagnose=False)
    assert (report.verdict, report.problem) == ("passed", None)


def test_where_cuda_does_not_start_nothing_is_said_of_the_file(engine, rms_norm, solution):
    if torch.cuda.is_available():
        pytest.skip("there is a CUDA device")
    report = engine.grade(rms_norm, Upload("answer.py", solution.encode()), device="cuda")
    assert report.verdict == "could not check"
    assert "a worker does not start; it said: " in describe(report.problem, "en")


CALLS = {
    "normalization/rms_norm": lambda module, new: module.rms_norm(new(3, 8), new(8)),
    "attention/multi_head_attention": lambda module, new: module.MultiHeadAttention(8, 2).to("meta")(new(2, 5, 8)),
    "attention/kv_cache": lambda module, new: module.attend(*(new(1, 2, 3, 4) for _ in range(3)), module.KVCache()),
    "sampling/top_p": lambda module, new: module.top_p_probs(new(3, 8), 0.9),
    "alignment/dpo": lambda module, new: module.dpo_loss(*(new(3) for _ in range(4)))[0],
}


@pytest.mark.parametrize("name", CALLS)
def test_solutions_make_no_tensor_elsewhere(name):
    module = types.ModuleType("solution")
    exec(compile(blanks.reveal(Exercise(builtin_root(), name).solution), name, "exec"), vars(module))
    answer = CALLS[name](module, lambda *shape: torch.ones(shape, device="meta"))
    assert answer.device.type == "meta"
