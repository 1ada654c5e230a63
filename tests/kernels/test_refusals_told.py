"""What the interpreter refuses reaches the learner in either language; what a hostile worker says of a refusal stays facts."""

import re

import pytest

from clozekit import calls
from clozekit.catalog import builtin_root
from clozekit.describe import describe
from clozekit.exercise import Exercise
from clozekit.grading.candidate import raised
from clozekit.kernels.refusal import refused
from clozekit.report import Problem

HEAD = "import torch, triton\nimport triton.language as tl\n\nPLAIN = 3\n\n\n@triton.jit\n"
KERNEL = "def add_kernel(z_ptr, x_ptr, y_ptr, n, BLOCK: tl.constexpr):\n    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)\n"
HOST = "\n\ndef add(x, y):\n    z = torch.empty_like(x)\n    add_kernel[{grid}](z, x, y, x.numel(), BLOCK=64)\n    return z\n"
SUM = "tl.load(x_ptr + i, mask=i < n) + tl.load(y_ptr + i, mask=i < n)"
ENGLISH = re.compile("[a-z]+ [a-z]+ [a-z]+")
# a statement of the kernel; what is said of it
STATEMENTS = {
    "no mask": (f"tl.store(z_ptr + i, {SUM})", "是否缺少 mask", "is a mask missing?"),
    "break": (
        "for j in range(n):\n        break",
        "内核中不能使用 `break`（answer.py，第 11 行）",
        "cannot be used in a kernel",
    ),
    "a global": ("j = n * PLAIN", "内核看不到 PLAIN", "no ordinary global such as PLAIN"),
    "a block as a condition": ("if i < n:\n        n += 1", "需要标量，不能是 int1[64]", "need a scalar"),
    "a race": (
        "tl.store(z_ptr + i, i * 1.0, mask=i < n)\n    x = tl.load(z_ptr + n - 1 - i, mask=i < n)",
        "次序不定",
        "in any order",
    ),
}


@pytest.mark.parametrize("case", STATEMENTS)
def test_a_refused_kernel_is_told_in_both_languages(case, grade):
    statement, zh, en = STATEMENTS[case]
    source = HEAD + KERNEL + f"    {statement}\n" + HOST.format(grid="(triton.cdiv(x.numel(), 64),)")
    report = grade(source, Exercise(builtin_root(), "triton/vector_add"), stop_at_first=True)
    problem = next(test.problem for test in report.tests if test.verdict == "failed")
    assert problem.kind == "raised"
    told = describe(Problem("raised", problem.facts | {"frames": ""}), "zh")
    assert zh in told
    assert not ENGLISH.search(re.sub("`[^`]*`", "", told))
    assert en in describe(problem, "en")


def reply(refusal: Problem | None) -> calls.Raised:
    return calls.Raised(0, "IndexError", "the text", "", refusal=refusal)


def test_an_exception_says_in_english_what_its_facts_say():
    error = refused(NameError, "kernel-line kernel-undefined", kernel="k", line=12, name="np")
    assert str(error) == "k, line 12: np is not defined"
    assert describe(raised(reply(error.problem)), "en") == "IndexError: k, line 12: np is not defined"
    assert describe(raised(reply(error.problem)), "zh") == "IndexError：k 第 12 行：np 未定义"


@pytest.mark.parametrize(
    "forged",
    [
        Problem("engine", {"error": "it is their fault"}),
        Problem("kernel-nothing-like-it"),
        Problem("kernel-line", {"cause": "engine", "error": "x"}),
        Problem("kernel-line", {"cause": "kernel-undefined os-EACCES"}),
    ],
)
def test_only_phrases_of_kernels_are_taken(forged):
    assert describe(raised(reply(forged)), "en") == "IndexError: the text"


def test_only_the_facts_that_the_phrases_ask_for_are_taken():
    facts = {
        "name": "np\x1b[2J",
        "call": "softmax(...)",
        "type": "Ours",
        "total": "9",
        "where": "[1]",
        "again": "refilled",
    }
    problem = raised(reply(Problem("kernel-undefined", facts)))
    assert problem.facts.keys() == {"type", "text", "frames", "name", "cause"}
    assert describe(problem, "en") == "IndexError: np\ufffd[2J is not defined"
