"""`cloze meter` as a user types it; what it says of files and calls that are not as they should be."""

import contextlib
import json

import pytest
from click.testing import CliRunner

from clozekit.cli import main
from clozekit.meters.callstring import parse
from clozekit.profiling import as_json, profile
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
    assert "4 MB read (4 MB distinct), 4 MB written; 100 % of each 32-byte sector is used" in result.output
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
