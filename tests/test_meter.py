"""`cloze meter` and `cloze bench` as a user types them; what they say of files and calls that are not as they should be."""

import contextlib
import json
import textwrap
import xml.etree.ElementTree as ET

import pytest
from click.testing import CliRunner

from clozekit import blanks
from clozekit.catalog import builtin_root
from clozekit.cli import main
from clozekit.errors import CannotCheck
from clozekit.exercise import LANGUAGES, Exercise
from clozekit.meters.callstring import parse
from clozekit.profiling import as_json, profile
from clozekit.protocol import Measured
from clozekit.racing import measure as measured_by_referee
from clozekit.report import Problem
from clozekit.submission import Upload

HEAD = "import torch, triton\nimport triton.language as tl\n\n"
COPY = """
@triton.jit
def kernel(y, x, n, BLOCK: tl.constexpr):
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    {body}

def copy(x):
    y = torch.empty_like(x)
    kernel[(triton.cdiv(x.numel(), 256),)](y, x, x.numel(), BLOCK=256)
    return y

def eager(x):
    return x.clone()
"""
RIGHT = "tl.store(y + at, tl.load(x + at, mask=at < n), mask=at < n)"


# what DESIGN promises to scripts
LAUNCH = set(
    "kernel grid load_bytes store_bytes unique_load_bytes sectors dot_flops out_of_bounds sampled compiled".split()
)
FACTS = set(
    "registers stack_bytes spill_bytes shared_bytes tensor_core_instructions load_bits occupancy seconds".split()
)


def source(body=RIGHT):
    return HEAD + COPY.format(body=body)


@pytest.fixture
def measure(engine):
    """measure(source, call): the profile of one call, made by a worker of the warm judge."""

    def measure(text, call="copy(float32[1000, 1000])", targets=("sm_90",), **options):
        return profile(engine, Upload("file.py", text.encode()), parse(call), list(targets), **options)

    return measure


@pytest.fixture
def cloze(engine, monkeypatch, tmp_path):
    """cloze("meter", "x.py", ...) in an empty directory, with the processes of the warm judge."""
    monkeypatch.setattr("clozekit.processes.Processes", lambda: contextlib.nullcontext(engine))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CLOZE_LANG", "en")
    return lambda *arguments: CliRunner().invoke(main, list(map(str, arguments)))


def test_the_json_has_the_fixed_shape(measure):
    (call,) = as_json([measure(source(), eager="eager")])["calls"]
    (launch,) = call["launches"]
    assert {
        "kernel",
        "grid",
        "load_bytes",
        "store_bytes",
        "unique_load_bytes",
        "sectors",
        "dot_flops",
        "out_of_bounds",
        "sampled",
    } <= launch.keys()
    assert (launch["kernel"], launch["grid"], launch["sampled"]) == ("kernel", [3907, 1, 1], True)
    assert launch["load_bytes"] == launch["store_bytes"] == launch["unique_load_bytes"] == 4_000_000
    assert launch["sectors"] == 2 * 125_000
    facts = launch["compiled"]["sm_90"]
    assert {
        "registers",
        "stack_bytes",
        "spill_bytes",
        "shared_bytes",
        "tensor_core_instructions",
        "load_bits",
        "occupancy",
        "seconds",
    } <= facts.keys()
    assert facts["registers"] > 0
    assert not facts["error"]
    assert call["bytes"] == 8_000_000
    h100 = call["predicted"]["H100"]
    assert h100["dead_band"] == 0.3
    assert h100["speedup"] is None or 0.5 < h100["speedup"] < 2
    assert h100["microseconds"] > 8e6 / 3.35e12 * 1e6
    assert "A100" not in call["predicted"]  # nothing was compiled for it


def test_eager_torch_is_counted_without_computing(measure):
    """A product of 1 PFLOP would take hours here."""
    text = "import torch\ndef f(a, b):\n    return (a @ b).relu()\n"
    (call,) = as_json([measure(text, "f(float16[65536, 65536], float16[65536, 131072])")])["calls"]
    assert call["launches"] == []
    assert call["host_ops"] == {"aten::mm": 1, "aten::relu": 1}
    assert call["flops"] == 2 * 65536 * 65536 * 131072 + 65536 * 131072


def test_a_host_that_computes_shows(measure):
    text = source().replace("return y\n", "return y * 2\n", 1)
    assert as_json([measure(text)])["calls"][0]["host_ops"]["aten::mul"] == 1


def test_an_access_out_of_bounds_is_told_with_tensor_index_and_line(measure):
    found = measure(source("tl.store(y + at, tl.load(x + at), mask=at < n)"), "copy(float32[1000])")
    (launch,) = found.launches
    assert launch.out_of_bounds == 24
    assert "line 8" in launch.message
    assert "element 1000 of x" in launch.message


def test_what_the_interpreter_cannot_run_is_compiled_all_the_same(measure):
    body = (
        'tl.store(y + at, tl.inline_asm_elementwise("mov.b32 $0, $1;", "=r,r", [tl.load(x + at)], tl.float32, True, 1))'
    )
    found = measure(source(body), "copy(float32[1024])")
    assert "not counted" in found.launches[0].message
    assert found.facts[1]["sm_90"].registers > 0


TUNED = (
    HEAD
    + """
@triton.autotune([triton.Config({{"BLOCK": block}}, num_warps=warps) for block, warps in {configs}], key=["n"])
@triton.jit
def kernel(y, x, n, BLOCK: tl.constexpr):
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    tl.store(y + at, tl.load(x + at, mask=at < n), mask=at < n)

def copy(x):
    y = torch.empty_like(x)
    kernel[lambda meta: (triton.cdiv(x.numel(), meta["BLOCK"]),)](y, x, x.numel())
    return y
"""
)


def test_an_autotuned_kernel_is_tuned_by_the_model(measure):
    """The first configuration has a million blocks of 16, the second spills, the last is sensible."""
    text = TUNED.format(configs="[(16, 4), (65536, 1), (1024, 4)]")
    assert measure(text, "copy(float32[4096, 4096])").launches[0].grid == [16384, 1, 1]


def test_hundreds_of_configurations_are_not_all_tried(measure):
    text = TUNED.format(configs="[(1024, 4)] * 500")
    assert measure(text, "copy(float32[4096, 4096])").launches[0].grid == [16384, 1, 1]


STYLES = {
    "heuristics": '''
@triton.heuristics({"EVEN": lambda args: args["n"] % 256 == 0})
@triton.jit
def kernel(y, x, n, EVEN: tl.constexpr):
    at = tl.program_id(0) * 256 + tl.arange(0, 256)
    if EVEN:
        tl.store(y + at, tl.load(x + at))
    else:
        tl.store(y + at, tl.load(x + at, mask=at < n), mask=at < n)

def copy(x):
    y = torch.empty_like(x)
    kernel[(triton.cdiv(x.numel(), 256),)](y, x, x.numel())
    return y
''',
    "nested functions": '''
@triton.jit
def twice(value):
    return 2 * tl.sigmoid(value)

@triton.jit
def kernel(y, x, n):
    at = tl.program_id(0) * 256 + tl.arange(0, 256)
    tl.store(y + at, twice(tl.load(x + at, mask=at < n)), mask=at < n)

def copy(x):
    y = torch.empty_like(x)
    kernel[(triton.cdiv(x.numel(), 256),)](y, x, x.numel())
    return y
''',
    "a persistent kernel that asks the device": '''
@triton.jit
def kernel(y, x, n, BLOCK: tl.constexpr):
    for block in range(tl.program_id(0), tl.cdiv(n, BLOCK), tl.num_programs(0)):
        at = block * BLOCK + tl.arange(0, BLOCK)
        tl.store(y + at, tl.load(x + at, mask=at < n), mask=at < n)

def copy(x):
    y = torch.empty_like(x)
    properties = triton.runtime.driver.active.utils.get_device_properties(0)
    compiled = kernel.warmup(y, x, x.numel(), BLOCK=256, grid=(1,))
    compiled._init_handles()
    programs = properties["multiprocessor_count"] * (properties["max_num_regs"] // (compiled.n_regs * 128))
    kernel[(min(programs, triton.cdiv(x.numel(), 256)),)](y, x, x.numel(), BLOCK=256)
    return y
''',
    "tensor descriptors": '''
@triton.jit
def kernel(y, x, n):
    source = tl.make_tensor_descriptor(x, [n], [1], [256])
    target = tl.make_tensor_descriptor(y, [n], [1], [256])
    target.store([tl.program_id(0) * 256], source.load([tl.program_id(0) * 256]))

def copy(x):
    y = torch.empty_like(x)
    kernel[(triton.cdiv(x.numel(), 256),)](y, x, x.numel())
    return y
''',
    "several kernels": COPY.format(body=RIGHT) + '''
whole = copy

def copy(x):
    half = len(x) // 2
    return whole(x[:half]), whole(x[half:])
''',
}  # fmt: skip


@pytest.mark.parametrize("style", STYLES)
def test_honest_wrappers_are_captured(style, measure):
    found = measure(HEAD + STYLES[style], "copy(float32[100000])")
    assert found.problem is None
    assert not any(launch.message for launch in found.launches)
    assert sum(launch.store_bytes for launch in found.launches) == 400_000
    assert all(facts["sm_90"].registers for facts in found.facts.values())


PROBLEMS = {
    "what no kernel may do": (source("while n > 0:\n        break"), "raised"),
    "a syntax error": ("def copy(x:\n", "syntax"),
    "no such function": ("def other(x): pass\n", "missing"),
    "raises": ("def copy(x):\n    return x / 0 + [][1]\n", "raised"),
    "a blank": ("def copy(x):\n    raise NotImplementedError('copy')\n", "blank"),
    "empty": ("", "empty"),
    "leaves": ("import os\ndef copy(x):\n    os._exit(3)\n", "killed"),
}


@pytest.mark.parametrize("case", PROBLEMS)
def test_what_goes_wrong_in_the_file_is_a_problem_of_the_call(case, measure):
    text, kind = PROBLEMS[case]
    assert measure(text).problem.kind == kind


def test_an_endless_kernel_is_stopped(measure):
    body = "at += 0\n    while n > 0:\n        at += 1"
    assert measure(source(body), "copy(float32[8])", seconds=3).problem.kind == "timeout"


def test_a_kernel_that_no_compiler_takes_is_told_with_its_line(measure):
    found = measure(source('tl.store(y + at, tl.load(x + at, eviction_policy="never"), mask=at < n)'))
    assert found.problem or found.facts[1]["sm_90"].error


def test_text_shows_what_matters(cloze, tmp_path):
    (tmp_path / "kernel.py").write_text(source())
    result = cloze("meter", "kernel.py", "--call", "copy(float32[1000, 1000])", "--targets", "sm_80")
    assert result.exit_code == 0, result.output
    assert "4 MB read (4 MB of it once), 4 MB written; 100 % of each 32-byte sector is used" in result.output
    assert "sm_80" in result.output
    assert "no stack" in result.output


WRONG_USAGE = {
    "a call that is none": ("kernel.py", "--call", "copy"),
    "a target that is none": ("kernel.py", "--call", "copy(float32[8])", "--targets", "sm_42"),
    "no call": ("kernel.py",),
    "no such file": ("other.py", "--call", "copy(float32[8])"),
    "a directory": (".", "--call", "copy(float32[8])"),
}


@pytest.mark.parametrize("case", WRONG_USAGE)
def test_wrong_usage_leaves_with_2_and_a_sentence(case, cloze, tmp_path):
    (tmp_path / "kernel.py").write_text(source())
    result = cloze("meter", *WRONG_USAGE[case])
    assert result.exit_code == 2
    assert result.output.strip()
    assert "Traceback" not in result.output


def test_json_of_a_file_that_fails(cloze, tmp_path):
    (tmp_path / "kernel.py").write_text("def copy(x):\n    raise ValueError('no')\n")
    result = cloze("meter", "kernel.py", "--call", "copy(float32[8])", "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["calls"][0]["launches"] == []
    assert "ValueError: no" in result.stderr


def test_bench_shows_yours_the_bar_and_why(cloze, tmp_path):
    exercise = Exercise(builtin_root(), "triton/fused_softmax")
    (tmp_path / "answer.py").write_text(exercise.mistaken(exercise.mistakes["loads_the_row_again"]))
    result = cloze("bench", "answer.py", "--exercise", exercise.id, "--html", "page.html")
    assert result.exit_code == 1, result.output
    assert "8,192,000" in result.output
    assert exercise.sheet.en.thresholds["loads"] in result.output
    page = (tmp_path / "page.html").read_text("utf-8")
    assert "http" not in page.replace("http://www.w3.org/2000/svg", "")  # it needs no network
    for drawing in page.split("<svg")[1:]:
        ET.fromstring("<svg" + drawing.partition("</svg>")[0] + "</svg>")


def test_bench_of_the_solution_passes(cloze, tmp_path):
    exercise = Exercise(builtin_root(), "triton/fused_softmax")
    (tmp_path / "answer.py").write_text(textwrap.dedent(blanks.reveal(exercise.solution)))
    result = cloze("bench", "answer.py", "--exercise", exercise.id)
    assert result.exit_code == 0, result.output


def test_bench_of_an_exercise_without_kernels(cloze, tmp_path):
    (tmp_path / "answer.py").write_text("")
    result = cloze("bench", "answer.py", "--exercise", "normalization/rms_norm")
    assert result.exit_code == 2
    assert "name one: --call" in result.output


SLOW = Measured("failed", 3.0, 2.9, 3.1, 24, 40.0, 120.0, Problem("speed-slow", {"yours": "3.00", "bar": "2"}))
CLOSE = Measured("undecided", 2.0, 1.9, 2.1, 320, 40.0, 80.0, Problem("speed-close", {"yours": "2.00", "bar": "2"}))
MEASURED = {
    "passed": (Measured("passed", 1.02, 1.01, 1.04, 24, 41.2, 42.1), 0, "42.1 µs, ours 41.2 µs, ratio 1.02 (1.01–1.04"),
    "failed": (SLOW, 1, "yours takes 3.00 times as long"),
    "undecided": (CLOSE, 0, "too near to the 2"),
    "could not check": (Measured.impossible("no CUDA device"), 3, "could not be measured: no CUDA device"),
}


@pytest.fixture
def gpu(monkeypatch):
    """gpu(measured): a machine with a GPU, on which every call is measured like that."""

    def gpu(measured):
        monkeypatch.setattr("clozekit.bench.nvml.devices", lambda: 1)
        monkeypatch.setattr("clozekit.racing.measure", lambda *_: measured)

    return gpu


@pytest.mark.parametrize("verdict", MEASURED)
def test_bench_tells_what_was_measured(verdict, cloze, tmp_path, gpu):
    """And why a time has a bar. Undecided decides nothing: the counts then do, and they pass."""
    measured, status, text = MEASURED[verdict]
    gpu(measured)
    exercise = Exercise(builtin_root(), "triton/fused_softmax")
    (tmp_path / "answer.py").write_text(blanks.reveal(exercise.solution))
    options = ("--call", "softmax(float32[64, 100])", "--json", "out.json", "--html", "page.html")
    result = cloze("bench", "answer.py", "--exercise", exercise.id, "--device", "cuda", *options)
    assert result.exit_code == status, result.output
    assert text in result.output
    assert (exercise.sheet.en.thresholds["time"] in result.output) == (verdict == "failed")
    assert text in (tmp_path / "page.html").read_text("utf-8")
    report = json.loads((tmp_path / "out.json").read_text("utf-8"))
    assert (report["schema"], report["exercise"]) == (1, exercise.id)
    (call,) = report["calls"]
    assert call["call"] == "softmax(float32[64, 100])"
    assert {"name": "launches", "value": 1, "bar": 1.0, "verdict": "passed"} in call["meters"]
    assert call["predicted"].keys() == {"yours_microseconds", "ours_microseconds", "eager_microseconds"}
    found = call["measured"]
    assert (found["verdict"], found["ratio"], found["pairs"]) == (verdict, measured.ratio, measured.pairs)
    assert bool(found["why"]) == (verdict != "passed")


def test_without_a_device_nothing_is_measured(cloze, tmp_path):
    exercise = Exercise(builtin_root(), "triton/fused_softmax")
    (tmp_path / "answer.py").write_text(blanks.reveal(exercise.solution))
    options = ("--call", "softmax(float32[64, 100])", "--json", "-")
    result = cloze("bench", "answer.py", "--exercise", exercise.id, *options)
    assert result.exit_code == 0, result.output
    (call,) = json.loads(result.stdout)["calls"]
    assert call["measured"] is None
    assert {meter["name"] for meter in call["meters"]} == {"launches", "loads", "stores", "stack"}


@pytest.mark.parametrize("lang", LANGUAGES)
def test_bench_on_a_gpu_where_there_is_none(cloze, tmp_path, monkeypatch, lang):
    def none():
        raise CannotCheck("no NVIDIA driver")

    monkeypatch.setattr("clozekit.bench.nvml.devices", none)
    (tmp_path / "answer.py").write_text("")
    result = cloze("bench", "answer.py", "--exercise", "triton/fused_softmax", "--device", "cuda", "--lang", lang)
    assert result.exit_code == 3
    assert len(result.output.splitlines()) == 1
    assert "`cloze doctor`" in result.output


@pytest.mark.parametrize(
    ("exercise", "device", "right"), [("fused_softmax", "cpu", "cuda"), ("rms_norm", "cuda", "cpu")]
)
def test_kernels_are_measured_on_gpus_and_torch_on_processors(cloze, tmp_path, exercise, device, right):
    (tmp_path / "answer.py").write_text("")
    id = f"{'triton' if right == 'cuda' else 'normalization'}/{exercise}"
    result = cloze("bench", "answer.py", "--exercise", id, "--device", device)
    assert result.exit_code == 2
    assert f"--device {right}" in result.output


def test_torch_is_measured_on_this_processor(cloze, tmp_path, solution):
    """Really: the referee, two workers, the clock. That the solution is slower than twice itself, nothing can make of it."""
    (tmp_path / "answer.py").write_text(solution)
    call = "rms_norm(float32[32, 64], float32[64], 1e-6)"
    options = ("--device", "cpu", "--call", call, "--json", "-")
    result = cloze("bench", "answer.py", "--exercise", "normalization/rms_norm", *options)
    assert result.exit_code == 0, result.output
    (found,) = json.loads(result.stdout)["calls"]
    assert found["measured"]["verdict"] in ("passed", "undecided")


def test_who_breaks_a_rule_is_not_measured(engine, rms_norm):
    """The fastest answer is the library's."""
    source = (
        "import torch\n\ndef rms_norm(x, weight, eps=1e-6):\n    return torch.rms_norm(x, weight.shape, weight, eps)\n"
    )
    found = measured_by_referee(
        engine, rms_norm, Upload("file.py", source.encode()), parse("rms_norm(float32[4, 8], float32[8])"), "cpu"
    )
    assert (found.verdict, found.why.kind) == ("failed", "CZ001")
