"""A wrong answer is called by the name of the mistake that it makes, however it is written. pytest says the same."""

import os
import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from clozekit.describe import describe

# The body of rms_norm in another style than that of the solution and of the grader's mistakes.
STYLES = {
    "subtracts_mean": """\
        return torch.nn.functional.layer_norm(x.float(), x.shape[-1:], weight.float(), None, eps).to(x.dtype)""",
    "eps_outside_sqrt": """\
        h = x.to(torch.float32)
        length = torch.linalg.vector_norm(h, dim=-1, keepdim=True) / h.shape[-1] ** 0.5
        return (h / (length + eps) * weight.to(torch.float32)).to(x.dtype)""",
    "forgets_eps": """\
        h = x.float()
        return (h * (h.shape[-1] ** 0.5 / h.norm(dim=-1, keepdim=True)) * weight.float()).type_as(x)""",
    "clamps_the_length": """\
        wide = x.to(torch.float32)
        length = torch.linalg.vector_norm(wide, dim=-1, keepdim=True).clamp_min(1e-12)
        return (wide / length * x.shape[-1] ** 0.5).to(x.dtype) * weight""",
    "mixes_rows": """\
        h = x.float()
        return (h * ((h * h).sum() / h.numel() + eps) ** -0.5 * weight.float()).type_as(x)""",
    "sum_of_squares": """\
        rows = x.float().reshape(-1, x.shape[-1])
        out = [row * torch.rsqrt(row.dot(row) + eps) * weight.float() for row in rows]
        return torch.stack(out).reshape(x.shape).to(x.dtype)""",
    "unbiased_mean": """\
        h = x.float()
        square = torch.einsum("...d,...d->...", h, h)[..., None] / (h.size(-1) - 1)
        return (h / (square + eps).sqrt() * weight.float()).to(x.dtype)""",
    "no_square_root": """\
        h = x.float()
        return (h / torch.add((h**2).mean(dim=-1, keepdim=True), eps) * weight.float()).to(x.dtype)""",
    "forgets_weight": """\
        h = x.float()
        square = torch.var(h, -1, keepdim=True, correction=0) + h.mean(-1, keepdim=True) ** 2
        return (h * torch.rsqrt(square + eps)).to(x.dtype)""",
    "weight_plus_one": """\
        h = x.float() * torch.rsqrt(x.float().square().mean(-1, keepdim=True) + eps)
        return (h + h * weight.float()).to(x.dtype)""",
    "squares_in_half": """\
        return (x * torch.rsqrt((x * x).mean(-1, keepdim=True) + eps)) * weight""",
    "returns_float32": """\
        h = x.to(torch.float32)
        return weight * h / torch.sqrt(eps + h.pow(2).mean(-1, keepdim=True))""",
}

# Wrong, but in no way that the grader knows.
UNKNOWN = {
    "half as large again": "return honest(x, weight, eps) * 1.5",
    "zeros": "return torch.zeros_like(x)",
    "the input": "return x",
    "flipped": "return honest(x, weight, eps).flip(-1)",
    "too large an eps": "return honest(x, weight, eps + 0.01)",
    "a wrong last row": "y = honest(x, weight, eps)\n    y[-1] = 0\n    return y",
    "two mistakes at once": (
        "h = x.float()\n"
        "    return (h / (h.pow(2).sum(-1, keepdim=True).sqrt() + eps) * (1 + weight.float())).to(x.dtype)"
    ),
    "an exception": "raise ValueError",
    "None": "return None",
}


def test_every_mistake_has_another_style_here(rms_norm):
    assert set(STYLES) == set(rms_norm.mistakes)


@pytest.mark.parametrize("name", STYLES)
def test_a_mistake_is_named_in_whatever_style(name, grade):
    body = textwrap.indent(textwrap.dedent(STYLES[name]), "    ")
    report = grade(f"import torch\n\n\ndef rms_norm(x, weight, eps=1e-6):\n{body}\n")
    assert report.verdict == "failed"
    assert report.mistake == name
    assert {test.mistake for test in report.tests} == {name, None}
    assert all(bool(test.mistake) == (test.verdict == "failed") for test in report.tests)


@pytest.mark.parametrize("name", UNKNOWN)
def test_an_unknown_error_has_no_name(name, grade, solution):
    report = grade(f"{solution}\nhonest = rms_norm\n\n\ndef rms_norm(x, weight, eps=1e-6):\n    {UNKNOWN[name]}\n")
    assert report.verdict == "failed"
    assert report.mistake is None


ROUNDING = textwrap.dedent("""\
    import torch

    from clozekit.grading import mistake, reference


    def test_small(check):
        check("square", torch.ones(8), 2.0)


    def test_values(check):
        check("square", torch.randn(64), 3.0)


    @reference("square")
    def definition(x, scale=2.0):
        return scale * (x * x)


    @mistake(blank="square")
    def forgets_square(x, scale):
        return scale * x


    @mistake(blank="square", rounding=True)
    def squares_in_half(x, scale):
        return scale * (x.half() * x.half()).to(x.dtype)
    """)


@pytest.mark.parametrize(
    ("body", "name"),
    {
        "scale * (x.bfloat16() ** 2).to(x.dtype)": "squares_in_half",
        "(x * x * scale).half().to(x.dtype)": "squares_in_half",
        "scale * x.abs()": None,
        "scale * x": "forgets_square",
        "scale * x.half()": None,
    }.items(),
)
def test_a_loss_of_precision_is_recognised_by_the_tests_that_it_fails(body, name, grade, author):
    report = grade(f"def square(x, scale):\n    return {body}\n", author(grader=ROUNDING))
    assert report.verdict == "failed"
    assert report.mistake == name


def pytest_run(grader: Path, *options: str) -> subprocess.CompletedProcess:
    """What an author sees who runs a grader by hand."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "CLOZE"))}
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q", "--tb=short", str(grader), *options]
    return subprocess.run(command, capture_output=True, text=True, cwd=grader.parents[2], env=environment, check=False)


def test_an_ordinary_pytest_run_tells_what_the_judge_tells(rms_norm, grade, engine, solution, tmp_path):
    wrong = tmp_path / "wrong.py"
    wrong.write_text(forgets_eps := solution.replace("mean_square + eps", "mean_square"))
    with ThreadPoolExecutor(2) as pool:
        right = pool.submit(pytest_run, rms_norm.grader_path)
        refused = pytest_run(rms_norm.grader_path, "--submission", str(wrong), "--seed", str(engine.seed))
    report = grade(forgets_eps)
    assert right.result().returncode == 0
    assert f"{len(report.tests)} passed" in right.result().stdout
    assert refused.returncode == 1
    assert f"{sum(test.verdict == 'failed' for test in report.tests)} failed" in refused.stdout
    for test in report.tests:
        if test.problem:
            call, place = describe(test.problem, "en").splitlines()
            assert f"Refused: {call}\nE   {place}\n" in refused.stdout


def test_a_message_gives_call_place_yours_and_expected(grade, solution):
    report = grade(solution.replace("mean_square + eps", "mean_square"))
    failed = {test.name: describe(test.problem, "en").splitlines() for test in report.tests if test.problem}
    assert failed["a row of zeros stays zero"] == [
        "rms_norm(float32[2, 8], float32[8], 1e-06)",
        "at [0, 0]: yours is NaN, expected 0 (16 of 16 elements are off)",
    ]
    call, place = failed["values: rows as small as eps"]
    assert call == "rms_norm(float32[3, 8], float32[8], 1e-06)"
    assert place.startswith("at [")
    assert ": yours " in place
    assert ", expected " in place
