"""What a careless or hostile file does is told as its own failure, and the next file is graded as if nothing had been.

Each entry of a table is a submission for normalization/rms_norm; RIGHT stands for what a right answer would return.
"""

import textwrap

import pytest

from clozekit import render
from clozekit.describe import describe
from clozekit.report import Report

RIGHT = "honest(x, weight, eps)"

# What the function does, the kind of its problem, and a piece of what the learner reads.
IN_CALL = {
    "returns None": ("return None", "type", "yours is of type None, expected Tensor"),
    "is a generator": (f"yield {RIGHT}", "type", "generator"),
    "returns a tuple": (f"return ({RIGHT},)", "type", "yours is of type tuple"),
    "returns a list": (f"return {RIGHT}.tolist()", "type", "yours is of type list"),
    "returns a NumPy array": (f"return {RIGHT}.detach().float().numpy()", "type", "numpy.ndarray"),
    "returns a list that holds itself": ("a = []\na.append(a)\nreturn a", "type", "yours is of type list"),
    "returns a million large numbers": ("return [1 << 60] * 10**6", "raised", "this result cannot be sent"),
    "returns half a character": (r"return '\ud800'", "raised", "surrogate"),
    "returns its own dict": ("return globals()", "type", "yours is of type dict"),
    "returns a tensor subclass that equals everything": (
        f"return {RIGHT}.as_subclass(type('Mine', (torch.Tensor,), {{'__eq__': lambda self, other: True}}))",
        "type",
        "Mine",
    ),
    "returns a lazy object that equals everything": (
        "class Lazy:\n    __eq__ = lambda self, other: True\n    __class__ = torch.Tensor\nreturn Lazy()",
        "type",
        "Lazy",
    ),
    "returns a meta tensor": (f"return {RIGHT}.to('meta')", "device", "yours lies on meta"),
    "returns a sparse tensor": (f"return {RIGHT}.to_sparse()", "type", "sparse"),
    "returns another shape": (f"return {RIGHT}[None]", "shape", "yours has shape"),
    "returns another dtype": (f"return {RIGHT}.double()", "dtype", "yours has dtype float64, expected float32"),
    "returns a tensor expanded to 40 TB": ("return torch.ones(1).expand(10**13)", "raised", "allocate"),
    "returns 1 GB and a little": ("return torch.ones((1 << 28) + 1)", "protocol", "1073741828"),
    "returns memory that it never wrote": ("return torch.empty_like(x)", "nan", "yours is NaN"),
    "changes its input in place": ("x.mul_(2)\nreturn honest(x / 2, weight, eps)", "changed", "in place: x"),
    "raises": ("raise ValueError('no idea')", "raised", "ValueError: no idea"),
    "raises without a text that can be shown": (
        "class Odd(Exception):\n    def __str__(self): raise self\nraise Odd",
        "raised",
        "Odd: (its text could not be shown)",
    ),
    "raises with a lying name": (
        "class Meta(type):\n    __name__ = property(lambda cls: 1 / 0)\nraise Meta('Odd', (Exception,), {})",
        "raised",
        "could not be shown",
    ),
    "raises with a text that is no string": (
        "class S(str):\n    def __getitem__(self, i): return 7\n"
        "raise type('Odd', (Exception,), {'__str__': lambda self: S('seven')})",
        "raised",
        "seven",
    ),
    "raises half a character": (r"raise ValueError('\ud800')", "raised", "ValueError: "),
    "raises 100 MB of text": ("raise ValueError('y' * 10**8)", "raised", "ValueError: yyyyyyyy"),
    "raises terminal escapes and markup": (
        r"raise ValueError('\x1b[2J\x1b]0;owned\x07[red]red[/] [/nothing] \u202e')",
        "raised",
        "[red]red[/] [/nothing]",
    ),
    "skips the test": ("import pytest\npytest.skip('please')", "raised", "Skipped: please"),
    "ends pytest": ("import pytest\npytest.exit('bye')", "raised", "Exit: bye"),
    "ends by sys.exit": ("sys.exit(0)", "exit", "your code ended the program (SystemExit)"),
    "raises KeyboardInterrupt": ("raise KeyboardInterrupt", "exit", "KeyboardInterrupt"),
    "ends by os._exit": ("os._exit(0)", "exited", "ended its process (exit status 0)"),
    "reads address 0": ("ctypes.string_at(0)", "segfault", "SIGSEGV"),
    "aborts": ("os.abort()", "signal", "SIGABRT"),
    "terminates itself": ("os.kill(os.getpid(), 15)", "signal", "SIGTERM"),
    "allocates 50 GB of tensor": ("return torch.empty(50 << 28)", "raised", "allocate"),
    "allocates 50 GB of bytes": ("return bytes(50 << 30)", "MemoryError", "more memory than it may use"),
    "recurses for ever": ("return rms_norm(x, weight, eps)", "RecursionError", "recursion never ends"),
    "writes a file of 100 MB": ("open('f', 'wb').write(bytes(10**8))", "raised", "File too large"),
    "closes all descriptors": (f"os.closerange(0, 64)\nreturn {RIGHT}", "exited", "ended its process"),
    "writes garbage to the channel": (f"os.write(3, b'\\xff' * 4096)\nreturn {RIGHT}", "protocol", "bytes"),
    "announces 10 GB": (f"os.write(3, struct.pack('<IQ', 9, 10 << 30))\nreturn {RIGHT}", "protocol", "bytes"),
    "answers out of turn from a thread": (
        f"other = threading.Thread(target=os.write, args=(3, b'\\xff' * 64))\nother.start()\nother.join()\nreturn {RIGHT}",
        "protocol",
        "made no sense",
    ),
    "breaks torch.clone": (f"torch.Tensor.clone = lambda self: 1 / 0\nreturn {RIGHT}", "raised", "ZeroDivisionError"),
    "breaks the encoder": (
        f"sys.modules['clozekit.values'].encode = lambda *a, **k: None\nreturn {RIGHT}",
        "type",
        "yours is of type None",
    ),
    "breaks the protocol": (
        f"sys.modules['msgspec'].msgpack.encode = lambda *a: b'{{}}'\nreturn {RIGHT}",
        "protocol",
        "malformed",
    ),
    "breaks the builtins": (
        f"import builtins\nbuiltins.isinstance = builtins.len = builtins.type = None\nreturn {RIGHT}",
        "exited",
        "ended its process",
    ),
}

# What a sandbox forbids, for the judge that has none.
UNCONFINED = {
    "starts another program": ("os.execv('/bin/true', ['true'])", "exited", "ended its process"),
    "leaves a child that writes to the channel": (
        f"if not os.fork():\n    os.write(3, b'\\xff' * 64)\n    os._exit(0)\nos.wait()\nreturn {RIGHT}",
        "protocol",
        "made no sense",
    ),
    "kills its group": ("os.killpg(0, 9)", "killed", "was killed"),
}

# The same for what stands above a right answer.
AT_IMPORT = {
    "does not parse": (
        "def broken(:\n    pass\n",
        "syntax",
        "line 1: invalid syntax\n    def broken(:\n               ^",
    ),
    "raises": ("1 / 0\n", "raised", "ZeroDivisionError: division by zero"),
    "imports what is not there": ("import no_such_package\n", "raised", "No module named 'no_such_package'"),
    "exits": ("raise SystemExit\n", "exit", "your code ended the program"),
    "dies": ("import os; os._exit(0)\n", "exited", "exit status 0"),
    "crashes": ("import ctypes; ctypes.string_at(0)\n", "segfault", "SIGSEGV"),
    "talks out of turn": ("import os; os.write(3, bytes(64))\n", "protocol", "made no sense"),
}

# What only looks bad: the right answer after it counts, if the static rules have nothing against it.
HARMLESS = {
    "prints": "print('looking at', tuple(x.shape))",
    "warns": "import warnings; warnings.warn('careful')",
    "asks for a gradient": "x = x.clone().requires_grad_()",
    "replaces sys.stdout": "sys.stdout = sys.stderr = None",
    "closes sys.stdout": "sys.stdout.close(); sys.stderr.close()",
    "lets sys.stdout raise": "sys.stdout = type('O', (), {'flush': lambda self: 1 / 0})()",
    "sets the default dtype": "torch.set_default_dtype(torch.float64)",
    "sets the default device": "torch.set_default_device('cpu')",
    "sets the number of threads": "torch.set_num_threads(4)",
    "seeds every generator": "torch.manual_seed(0)",
    "turns gradients off for good": "torch.set_grad_enabled(False); torch.set_grad_enabled(True)",
    "replaces torch.equal": "torch.equal = lambda a, b: True",
    "forgets its own module": "sys.modules.pop('submission', None)",
    "ignores every signal": "import signal; [signal.signal(s, signal.SIG_IGN) for s in (1, 2, 3, 13, 15)]",
    "leaves the directory": "os.chdir('/')",
}

# What never answers, for `hasty`, whose calls have half a second.
HANGS = {
    "loops": "while True: pass",
    "loops in one call of C": "sum(iter(int, 1))",
    "sleeps": "time.sleep(1000)",
    "loops and ignores every signal": (
        "import signal\n[signal.signal(s, signal.SIG_IGN) for s in range(1, 32) if s not in (9, 19)]\nwhile True: pass"
    ),
    "stops itself": "os.kill(os.getpid(), 19)",
    "prints for ever": "while True: print('y' * 1000)",
    "hangs in the text of its exception": "raise type('E', (Exception,), {'__str__': lambda self: time.sleep(1000)})()",
    "sends half an answer": "os.write(3, struct.pack('<IQ', 100, 0))\ntime.sleep(1000)",
}

HEAD = "import ctypes, os, struct, sys, threading, time, torch\n"


SQUARE = "def square(x, scale=2.0):\n"


@pytest.fixture(scope="module")
def hasty(author):
    """A private exercise in which a call must answer within half a second."""
    return author(seconds=0.5)


def in_call(solution: str, body: str) -> str:
    """A submission that can give the right answer but runs `body` first."""
    wrapper = f"honest = rms_norm\n\n\ndef rms_norm(x, weight, eps=1e-6):\n{textwrap.indent(body, '    ')}\n"
    return f"{HEAD}{solution}\n\n{wrapper}"


@pytest.fixture
def bystander(grade, solution):
    """After the test the same judge grades another file, the right one, as passed."""
    yield
    report = grade(solution)
    assert report.verdict == "passed"
    assert not any(test.output for test in report.tests)


def told(report: Report) -> tuple[set[str], str]:
    """The kinds of all problems, and the first as a learner reads it. Nothing in it is a traceback of ours."""
    found = [test.problem for test in report.tests if test.problem]
    text = "\n".join(describe(problem, "en") for problem in found)
    assert "clozekit" not in text + "".join(test.output for test in report.tests)
    return {problem.kind for problem in found}, describe(found[0], "en")


@pytest.mark.usefixtures("bystander")
@pytest.mark.parametrize("judge", ["engine", "bare"])
@pytest.mark.parametrize("name", [*IN_CALL, *UNCONFINED])
def test_a_call_that(name, judge, grade, solution, request):
    if name in UNCONFINED and judge == "engine":
        pytest.skip("whether this works is for the sandbox to say")
    body, kind, text = (IN_CALL | UNCONFINED)[name]
    report = grade(in_call(solution, body), judge=request.getfixturevalue(judge), stop_at_first=True)
    assert report.verdict == "failed"
    assert {test.verdict for test in report.tests} <= {"failed", "passed"}
    kinds, message = told(report)
    assert kinds == {kind}
    assert text in message


@pytest.mark.usefixtures("bystander")
@pytest.mark.parametrize("name", AT_IMPORT)
def test_a_file_that(name, grade, solution):
    code, kind, text = AT_IMPORT[name]
    report = grade(code + solution)
    assert report.verdict == "failed"
    assert {test.verdict for test in report.tests} == {"failed"}
    kinds, message = told(report)
    assert kinds == {kind}
    assert text in message


@pytest.mark.usefixtures("bystander")
@pytest.mark.parametrize("name", HARMLESS)
def test_no_harm_in_a_call_that(name, grade, solution):
    report = grade(in_call(solution, f"{HARMLESS[name]}\nreturn {RIGHT}"))
    assert {test.verdict for test in report.tests} == {"passed"}, told(report)


@pytest.mark.usefixtures("bystander")
@pytest.mark.parametrize("name", HANGS)
def test_no_answer_from_a_call_that(name, grade, hasty):
    report = grade(HEAD + SQUARE + textwrap.indent(HANGS[name], "    "), hasty, stop_at_first=True)
    assert report.verdict == "failed"
    assert report.seconds < 5
    assert told(report) == ({"timeout"}, "square(float32[3, 8], 3.0)\nno answer within 0.5 s")


def test_a_dead_process_whose_child_holds_the_channel_is_not_waited_for(grade, hasty, bare):
    forks = f"import os, time\n{SQUARE}    if os.fork(): os._exit(0)\n    time.sleep(1000)\n"
    report = grade(forks, hasty, bare, stop_at_first=True)
    assert told(report)[0] == {"timeout"}


@pytest.mark.usefixtures("bystander")
def test_a_file_that_never_ends_is_tried_once(grade, author):
    report = grade("while True: pass", author(grader=MANY, seconds=0.5))
    assert [test.verdict for test in report.tests] == ["failed"] * 4
    assert told(report)[0] == {"timeout"}
    assert 1 <= report.seconds < 2


MANY = "import pytest\n" + "".join(
    f"{mark}def test_{name}(check):\n    check('square', {x}, 1.0, returns={x * x})\n"
    for name, x, mark in [("a", 2.0, ""), ("b", 3.0, ""), ("c", 4.0, ""), ("d", 5.0, "@pytest.mark.hidden\n")]
)


@pytest.mark.parametrize(
    ("hangs", "kinds"),
    [
        ("True", ["timeout", "unasked", "unasked", "unasked"]),
        ("x == 2", ["timeout", None, None, None]),
        ("x == 5", [None, None, None, "timeout"]),
        ("x in (2, 4)", ["timeout", None, "unasked", "unasked"]),
    ],
)
def test_after_one_call_without_an_answer_the_others_are_waited_for_briefly(hangs, kinds, grade, author):
    """One that answers at once keeps its points; of those that nobody waits for, hidden ones too, nothing is claimed."""
    report = grade(f"{SQUARE}    while {hangs}: pass\n    return x * x\n", author(grader=MANY, seconds=4.0))
    assert [test.problem and test.problem.kind for test in report.tests] == kinds
    verdicts = {None: "passed", "timeout": "failed", "unasked": "could not check"}
    assert [test.verdict for test in report.tests] == [verdicts[kind] for kind in kinds]
    assert {test.problem.facts["seconds"] for test in report.tests if test.problem} == {"4"}
    assert report.verdict == "failed"


def test_every_call_of_a_file_that_crashes_is_tried_in_a_fresh_worker(grade, solution):
    body = f"if x.dim() != 1: os.abort()\nreturn {RIGHT}"
    report = grade(in_call(solution, body))
    assert [test.name for test in report.tests if test.verdict == "passed"] == ["values: one row"]
    assert told(report)[0] == {"signal"}


def test_what_a_file_prints_is_shown_and_cut(grade, solution, rms_norm):
    report = grade(f"print('loaded')\n{in_call(solution, 'print(chr(27) + chr(121) * 10**7)')}")
    outputs = [test.output for test in report.tests]
    assert outputs[0].startswith("loaded\n\N{REPLACEMENT CHARACTER}yyy")
    assert all(len(output) < 5000 and "bytes)" in output for output in outputs)
    shown = render.as_text(report, rms_norm, "en", "all").plain
    assert "Your code printed" in shown
    assert len(shown) < 5000


def test_nothing_that_a_file_says_paints_the_terminal(grade, solution, rms_norm):
    body, _, _ = IN_CALL["raises terminal escapes and markup"]
    plain = render.as_text(grade(in_call(solution, body)), rms_norm, "en", "all").plain
    assert "[red]red[/] [/nothing]" in plain
    assert not {c for c in plain if not c.isprintable()} - {"\n"}


@pytest.mark.parametrize(
    ("source", "message"),
    {
        "def rms_nrom(x): pass": "your file defines no `rms_norm`. Did you mean `rms_nrom`?",
        "x = 1": "your file defines no `rms_norm`.",
        "class RmsNorm: pass": "your file defines no `rms_norm`. Did you mean `RmsNorm`?",
    }.items(),
)
def test_a_missing_name_is_told_with_the_nearest(source, message, grade):
    report = grade(source)
    assert report.verdict == "failed"
    kinds, text = told(report)
    assert kinds == {"missing"}
    assert text.endswith(message)


def test_a_traceback_is_cut_to_the_learners_lines(grade):
    source = textwrap.dedent("""\
        import torch

        class Scale(torch.nn.Module):
            def forward(self, x):
                return x @ torch.ones(7, 7)

        def rms_norm(x, weight, eps=1e-6):
            return Scale()(x)
        """)
    _, text = told(grade(source))
    places = [line for line in text.splitlines() if line.startswith("  File")]
    assert places == ['  File "answer.py", line 8, in rms_norm', '  File "answer.py", line 5, in forward']
