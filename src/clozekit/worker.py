"""The untrusted side: runs the learner's code and answers calls. It holds no grader, no expected value, no score.

A worker serves one submission and dies. How a process becomes one: `worker_process`.
"""

import contextlib
import linecache
import os
import sys
import traceback
import types
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import torch

from clozekit import calls, cells, gpu, rules, submission, values
from clozekit.earlier import Earlier
from clozekit.leaves import once, outline, same, tensors
from clozekit.meters.eager import TorchMeter
from clozekit.protocol import Analyse, Analysed, Open, Opened, Profile, Profiled, Ready
from clozekit.report import Problem
from clozekit.steps import Steps
from clozekit.tiny_lm import TinyLM
from clozekit.traces import Trace
from clozekit.wire import Channel, Violation

MODULE = "submission"
PACKAGE = os.path.dirname(__file__)  # where the kit lies is nobody's business
OURS = {"TinyLM": TinyLM}  # what a grader may construct that no submission defines


class Worker:
    """Serves Analyse, Load, Call, Parameters, Replay and Measure for one submission.

    device: where the tensors of a call lie, as torch calls it; answers are fetched from there.
    """

    def __init__(self, device: str = "cpu") -> None:
        self.device, self.there = device, torch.device(device).type
        self.places = {"cpu", self.there}
        self.module = types.ModuleType(MODULE)
        self.name = MODULE
        self.held: dict[int, Any] = {}
        self.kernels: dict[int, Any] = {}  # of the source, loaded alone
        self.given: tuple[list[Any], dict[str, Any]] = [], {}  # the arguments of the last call
        self.earlier = Earlier(self.places)

    def serve(self, channel: Channel) -> None:
        """Answer requests, one frame each, until the channel closes."""
        while True:
            request, payload, _ = channel.receive(Analyse | Open | Profile | calls.Request)
            if isinstance(request, Analyse):
                channel.send(analyse(request, bytes(payload)))
                channel.send(Ready())  # for whoever asks next
                continue
            if isinstance(request, Open):
                channel.send(opened(bytes(payload)))
                continue
            if isinstance(request, Profile):
                channel.send(self.profile(request, bytes(payload)))
                continue
            buffers: list[Any] = []
            try:
                reply = self.answer(request, values.Reader(payload, self.held, True, self.device), buffers)
            except BaseException as error:
                buffers = []
                reply = self.raised(request, error)
            for stream in (sys.stdout, sys.stderr):
                with contextlib.suppress(BaseException):
                    stream.flush()
            try:
                channel.send(reply, buffers)
            except (Violation, UnicodeError) as error:  # it does not fit into a frame, nothing was sent
                channel.send(self.raised(request, ValueError(f"this result cannot be sent: {error}")))

    def answer(self, request: calls.Request, reader: values.Reader, buffers: list[Any]) -> calls.Reply:
        """Do what one request asks."""
        if isinstance(request, calls.Load):
            return self.load(request)
        if isinstance(request, calls.Parameters):
            return self.parameters(request, reader)
        if isinstance(request, calls.Replay):
            return self.replay(request, reader, buffers)
        if isinstance(request, calls.Measure):
            return self.measure(request, reader)
        if isinstance(request, calls.Call) and request.dry:
            return self.dry(request, reader)
        if isinstance(request, calls.Call) and request.timed:
            return self.timed(request, reader, buffers)
        return self.call(request, reader, buffers)

    def load(self, request: calls.Load) -> calls.Reply:
        """Execute the source. Kernels find their own text through linecache, there is no file."""
        self.name = request.name
        linecache.cache[self.name] = (len(request.source), None, request.source.splitlines(True), self.name)
        self.module = sys.modules[MODULE] = types.ModuleType(MODULE)
        self.module.__file__ = self.name
        self.held.clear()
        self.given, self.earlier = ([], {}), Earlier(self.places)
        if interpret := sys.modules.get("clozekit.kernels.interpret"):
            interpret.install()
        if request.alone:
            from clozekit.kernels import alone

            self.kernels = alone.load(request.source, self.name)
            return calls.Returned(request.nonce)
        exec(compile(request.source, self.name, "exec", dont_inherit=True), self.module.__dict__)
        return calls.Returned(request.nonce)

    def replay(self, request: calls.Replay, reader: values.Reader, buffers: list[Any]) -> calls.Reply:
        """A plan, by the kernels alone."""
        from clozekit.kernels import replay

        inputs = [reader.decode(value) for value in request.inputs]
        answer, counts = replay.run(request.plan, inputs, self.kernels, request.backwards)
        return calls.Returned(request.nonce, values.encode(answer, buffers), counts=counts)

    def measure(self, request: calls.Measure, reader: values.Reader) -> calls.Reply:
        """The costs of a plan, by the kernels alone."""
        from clozekit.meters import measuring

        inputs = [reader.decode(value) for value in request.inputs]
        launches = measuring.plan(request.plan, inputs, self.kernels, request.targets, request.seed, request.effort)
        return calls.Returned(request.nonce, launches=launches)

    def dry(self, request: calls.Call, reader: values.Reader) -> calls.Reply:
        """The plan of one call of full size."""
        from clozekit.meters import measuring

        args = [reader.decode(arg) for arg in request.args]
        kwargs = {name: reader.decode(arg) for name, arg in request.kwargs.items()}
        leaves = tensors([args, kwargs])
        script = measuring.dry(self.find(request), args, kwargs, recorder(self.name, leaves))
        return calls.Returned(request.nonce, plan=script)

    def timed(self, request: calls.Call, reader: values.Reader, buffers: list[Any]) -> calls.Reply:
        """One call, which nobody looks into: that would take more time of many small operators than of few large ones."""
        args = [reader.decode(arg) for arg in request.args]
        kwargs = {name: reader.decode(arg) for name, arg in request.kwargs.items()}
        with torch.no_grad():
            result = self.find(request)(*args, **kwargs)
        return calls.Returned(request.nonce, values.encode(result, buffers))

    def profile(self, request: Profile, raw: bytes) -> Profiled:
        """The costs of one call of full size, host and all."""
        from clozekit.grading.candidate import raised
        from clozekit.meters import measuring

        wanted = request.call
        try:
            self.load(calls.Load(0, submission.parse(raw, request.name).source, request.name))
            function = self.find(calls.Call(0, wanted.target, None, [], {}))
            eager = request.eager and self.find(calls.Call(0, request.eager, None, [], {}))
            if measuring.launches_kernels(self.module):
                launches, host = measuring.call(function, *wanted.filled(measuring.real), request.targets)
            else:
                launches, host = [], measuring.operators(function, wanted)
            beside = measuring.operators(eager, wanted).records if eager else []
            return Profiled(launches, host.counts(), host.records, beside)
        except submission.Unreadable as unreadable:
            return Profiled(problem=unreadable.problem)
        except BaseException as error:
            reply = self.raised(calls.Load(0, "", ""), error)
            assert isinstance(reply, calls.Raised)
            return Profiled(problem=raised(reply))

    def call(self, request: calls.Call, reader: values.Reader, buffers: list[Any]) -> calls.Reply:
        """One call; with cotangents also backward."""
        args, kwargs = self.given = self.arguments(request, reader)
        given = [*args, *kwargs.values()]
        sent = [*request.args, *request.kwargs.values()]
        own = [arg for arg, value in zip(given, sent, strict=True) if not isinstance(value, values.Held)]
        function = self.find(request)
        leaves = tensors(own)
        parameters = dict(function.named_parameters()) if isinstance(function, torch.nn.Module) else {}
        watched = {**{str(i): leaf for i, leaf in enumerate(leaves)}, **parameters}
        before = {name: leaf.detach().clone() for name, leaf in watched.items()}
        outlines = {
            str(len(leaves) + i): (arg, outline(arg)) for i, arg in enumerate(given) if type(arg) in (list, dict, set)
        }
        backward = request.cotangents is not None
        inputs = [leaf.requires_grad_() for leaf in leaves if leaf.is_floating_point()] if backward else []
        threads = len(sys._current_frames())
        below = torch._C._AutoDispatchBelowAutograd() if request.composite else contextlib.nullcontext()
        with torch.set_grad_enabled(backward), below, evaluating(function, request.evaluate):
            for _ in range(request.rounds):
                function(*args, **kwargs)
            record = recorder(self.name, leaves) if request.record else None
            meter = TorchMeter() if request.measure else None
            metered = (
                meter or contextlib.nullcontext()
            )  # around the trace, which sees operators before they are taken apart
            with (
                Steps(self.name, request.count_steps) as steps,
                metered,
                Trace() as trace,
                record or contextlib.nullcontext(),
            ):
                result = function(*args, **kwargs)
        changed = [name for name, leaf in watched.items() if not same(leaf, before[name])]
        changed += [name for name, (arg, old) in outlines.items() if outline(arg) != old]
        reply = calls.Returned(
            request.nonce,
            changed=changed[:50],
            used=trace.names(),
            steps=steps.count + trace.steps if request.count_steps else 0,
            disturbed=self.earlier.disturbed(),
            threads=len(sys._current_frames()) - threads,
            plan=record.finish(result) if record else None,
            cost=meter.counts() if meter else None,
        )
        self.earlier.keep("argument", own)
        if request.keep is not None:
            if self.there != "cpu" and isinstance(result, torch.nn.Module):
                torch.nn.Module.to(result, self.device)
            self.held[request.keep] = result
            return msgspec.structs.replace(reply, value=values.Held(request.keep))
        devices = {self.there} if watched else self.places  # where no tensor is given, nothing says where
        reply = msgspec.structs.replace(reply, value=values.encode(result, buffers, devices=devices))
        self.earlier.keep("result", result)
        if request.cotangents is None:
            return reply
        self.backward(result, [reader.decode(cotangent) for cotangent in request.cotangents])
        gradients = [values.encode(leaf.grad, buffers, devices=devices) for leaf in inputs]
        of_parameters = {
            name: values.encode(parameter.grad, buffers, devices=devices) for name, parameter in parameters.items()
        }
        for leaf in (*inputs, *parameters.values()):
            leaf.grad = None
        return msgspec.structs.replace(reply, inputs=gradients, parameters=of_parameters)

    def arguments(self, request: calls.Call, reader: values.Reader) -> tuple[list[Any], dict[str, Any]]:
        """What to call with: new objects, or those of the last call with new values in them."""
        args = [reader.decode(arg) for arg in request.args]
        kwargs = {name: reader.decode(arg) for name, arg in request.kwargs.items()}
        if not request.refill:
            return args, kwargs
        old_args, old_kwargs = self.given
        for leaf, value in zip(tensors([old_args, old_kwargs]), tensors([args, kwargs]), strict=True):
            once(leaf.data).copy_(once(value))  # no version counter sees it
        self.earlier.renew()
        args = [old if tensors([old]) else new for old, new in zip(old_args, args, strict=True)]
        return args, {name: old if tensors([old]) else kwargs[name] for name, old in old_kwargs.items()}

    @staticmethod
    def backward(result: Any, cotangents: list[torch.Tensor]) -> None:
        """Backward from every output that has a graph and the shape of its cotangent; the rest will be refused."""
        outputs = [leaf for leaf in tensors([result]) if leaf.is_floating_point()]
        pairs = [
            (output, cotangent.to(output.dtype))
            for output, cotangent in zip(outputs, cotangents, strict=False)
            if output.requires_grad and output.shape == cotangent.shape
        ]
        if pairs:
            torch.autograd.backward([output for output, _ in pairs], [cotangent for _, cotangent in pairs])

    def find(self, request: calls.Call) -> Any:
        """The function, the kept object, or its method.

        Raises:
            Missing: the module or the object has no such name.
        """
        if request.held is None:
            if request.target in OURS:
                return OURS[request.target]
            if request.target not in vars(self.module):
                raise Missing(request.target)
            return vars(self.module)[request.target]
        thing = self.held[request.held]
        if not request.target:
            return thing
        try:
            return getattr(thing, request.target)
        except AttributeError:
            raise Missing(f"{type(thing).__name__}.{request.target}") from None

    def parameters(self, request: calls.Parameters, reader: values.Reader) -> calls.Reply:
        """Load parameters into a kept module, if names and shapes are the expected ones."""
        module = self.held[request.held]
        given = {name: reader.decode(value) for name, value in request.values.items()}
        own = dict(module.named_parameters()) if isinstance(module, torch.nn.Module) else {}
        if {n: p.shape for n, p in own.items()} != {n: v.shape for n, v in given.items()}:
            return calls.Mismatched(request.nonce, {name: list(p.shape) for name, p in own.items()})
        with torch.no_grad():
            for name, value in given.items():
                if request.refill:
                    own[name].data.copy_(value)
                else:
                    own[name].data = value.clone()
        self.earlier.renew()
        return calls.Returned(request.nonce)

    def raised(self, request: calls.Request, error: BaseException) -> calls.Reply:
        """An exception as text, cut to the learner's own lines. Its own methods may lie or raise; then we say so."""
        names = [name for name in map(plain, vars(self.module)) if len(name) < 200 and not name.startswith("_")]
        frames = shown(lambda: self.frames(error))[-6000:]
        kind = shown(lambda: type(error).__name__)[:200]
        text = shown(lambda: str(error))[:2000].replace(PACKAGE, "clozekit")
        lost = gpu.lost(self.device)
        problem = getattr(error, "__dict__", {}).get("problem")  # of an exception of theirs it may be anything
        refusal = problem if type(problem) is Problem else None
        return calls.Raised(request.nonce, kind, text, frames, names[:500], isinstance(error, Missing), lost, refusal)

    def frames(self, error: BaseException) -> str:
        """The learner's own lines of the traceback."""
        own = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == self.name]
        return "".join(traceback.StackSummary.from_list(own[-8:]).format())


def analyse(request: Analyse, raw: bytes) -> Analysed:
    """Parse a file and hold it against the rules. Nothing of it has run when this is said."""
    try:
        with warnings.catch_warnings(action="ignore"):  # of the parser; those of running it are the learner's
            taken = submission.parse(raw, request.name)
        return Analysed(taken.source, rules.findings(taken.tree, request.policy))
    except submission.Unreadable as unreadable:
        return Analysed(problem=unreadable.problem)
    except MemoryError:
        return Analysed(problem=Problem("unreadable-memory"))


def opened(raw: bytes) -> Opened:
    """The answers in a notebook, none of which is analysed here: each is graded as a file of its own."""
    try:
        return Opened(cells.answers(raw))
    except submission.Unreadable as unreadable:
        return Opened(problem=unreadable.problem)
    except MemoryError:
        return Opened(problem=Problem("notebook-heavy"))


def recorder(file: str, inputs: list[torch.Tensor]) -> Any:
    """Triton comes with it, and only kernels need that."""
    from clozekit.kernels.record import Recorder

    return Recorder(file, inputs)


class Missing(Exception):
    """The submission does not define this name."""


def shown(text: Callable[[], Any]) -> str:
    """A text that the learner's code makes, as a plain string that can be encoded."""
    try:
        return plain(text())
    except BaseException:
        return "(its text could not be shown)"


def plain(text: Any) -> str:
    """An exact str without lone surrogates, whatever class the text is of."""
    return str.encode(text, "utf-8", "replace").decode()


@contextlib.contextmanager
def evaluating(function: Any, wanted: bool) -> Iterator[None]:
    """A module in evaluation mode meanwhile."""
    if not (wanted and isinstance(function, torch.nn.Module)):
        yield
        return
    trains = function.training
    function.eval()
    try:
        yield
    finally:
        function.train(trains)
