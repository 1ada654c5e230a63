"""Problems as sentences: every kind, in both languages, with its facts."""

import pytest

from clozekit.describe import clean, describe, next_step
from clozekit.phrases import table
from clozekit.report import Problem

CALL = "rms_norm(float32[3, 8], float32[8])"
PLACE = {"call": CALL, "where": "[1, 2]", "yours": "2.46", "expected": "1.32"}
RAISED = {"call": CALL, "type": "ValueError", "text": "no idea", "frames": '  File "a.py", line 3, in f\n    g()'}

# What went wrong, and the whole of what a learner reads in English.
SENTENCES = {
    "a value": (
        Problem("value", {**PLACE, "wrong": "3", "total": "24"}),
        f"{CALL}\nat [1, 2]: yours 2.46, expected 1.32 (3 of 24 elements are off)",
    ),
    "a value, not of a tensor": (
        Problem("value", {**PLACE, "where": "", "wrong": "1", "total": "1"}),
        f"{CALL}\nyours 2.46, expected 1.32",
    ),
    "not a number": (
        Problem("nan", {**PLACE, "wrong": "1", "total": "2"}),
        f"{CALL}\nat [1, 2]: yours is NaN, expected 1.32 (1 of 2 elements are off)",
    ),
    "an infinite number": (
        Problem("infinite", PLACE | {"yours": "-inf"}),
        f"{CALL}\nat [1, 2]: yours is -inf, expected 1.32",
    ),
    "another type": (
        Problem("type", {"call": CALL, "where": "", "yours": "None", "expected": "Tensor"}),
        f"{CALL}\nyours is of type None, expected Tensor",
    ),
    "another shape": (
        Problem("shape", {"call": CALL, "where": ".loss", "yours": "[2]", "expected": "[]", "total": "1"}),
        f"{CALL}\nat .loss: yours has shape [2], expected []",
    ),
    "an empty tensor of another shape": (
        Problem("shape", {"where": "", "yours": "[2]", "expected": "[0]", "wrong": "1", "total": "0"}),
        "yours has shape [2], expected [0]",
    ),
    "another dtype": (
        Problem("dtype", {"yours": "float64", "expected": "float32"}),
        "yours has dtype float64, expected float32",
    ),
    "another length": (
        Problem("length", {"where": "[0]", "yours": "3", "expected": "2", "position": "1"}),
        "at [0]: yours has length 3, expected 2; they first differ at position 1",
    ),
    "other keys": (
        Problem("keys", {"where": "", "yours": "'a'", "expected": "'b', 'c'"}),
        "the keys differ\n  only yours has: 'a'\n  missing: 'b', 'c'",
    ),
    "keys too few": (Problem("keys", {"yours": "", "expected": "'b'"}), "the keys differ\n  missing: 'b'"),
    "no gradient": (Problem("no-gradient", {"path": "x"}), "no gradient reaches x"),
    "an argument changed": (
        Problem("changed", {"call": CALL, "names": "x, weight"}),
        f"{CALL}\nthe call changed its argument in place: x, weight",
    ),
    "a blank": (Problem("blank", {"blank": "scale", "frames": ""}), "the blank `scale` is not filled in yet"),
    "a missing name": (
        Problem("missing", {"name": "rms_norm", "names": "torch rmsnorm helper"}),
        "your file defines no `rms_norm`. Did you mean `rmsnorm`?",
    ),
    "a missing method": (
        Problem("missing", {"name": "Cache.append", "names": "Cache attend apend"}),
        "your file defines no `Cache.append`. Did you mean `apend`?",
    ),
    "a missing name unlike any": (
        Problem("missing", {"name": "rms_norm", "names": ""}),
        "your file defines no `rms_norm`.",
    ),
    "an exception": (
        Problem("raised", RAISED),
        f'{CALL}\nValueError: no idea\n  File "a.py", line 3, in f\n    g()',
    ),
    "an exception without text": (Problem("raised", {"type": "ValueError", "text": "", "frames": ""}), "ValueError"),
    "an exception of several lines": (
        Problem("raised", {"type": "RuntimeError", "text": "one\n  two", "frames": ""}),
        "RuntimeError: one\n  two",
    ),
    "an exit": (
        Problem("exit", RAISED | {"type": "SystemExit", "frames": ""}),
        f"{CALL}\nyour code ended the program (SystemExit); a function must return instead",
    ),
    "a recursion": (Problem("RecursionError", {}), "the recursion never ends (RecursionError)"),
    "no memory": (
        Problem("MemoryError", {}),
        "your code asked for more memory than it may use (MemoryError)",
    ),
    "other parameters": (
        Problem("parameters", {"missing": "q_proj.weight [8, 8]", "extra": "", "other": "b [3] (expected [4])"}),
        "the parameters of the module are not the expected ones\n"
        "  missing: q_proj.weight [8, 8]\n"
        "  of another shape: b [3] (expected [4])",
    ),
    "a loop": (
        Problem("steps", {"small": "9", "first": "f(1)", "large": "99", "second": "f(2)"}),
        "9 steps of Python for f(1), 99 for f(2): the work is done in a Python loop",
    ),
    "a hang": (Problem("timeout", {"call": CALL, "seconds": "10"}), f"{CALL}\nno answer within 10 s"),
    "a crash": (Problem("segfault", {"signal": "SIGSEGV"}), "your code crashed its process (SIGSEGV)"),
    "another signal": (Problem("signal", {"signal": "SIGFPE"}), "the process of your code ended by SIGFPE"),
    "an assertion of the grader": (Problem("assertion", {"text": "expected three"}), "expected three"),
    "a syntax error": (
        Problem("syntax", {"line": "3", "reason": "invalid syntax", "code": "    x = = 1\n        ^"}),
        "line 3: invalid syntax\n    x = = 1\n        ^",
    ),
    "a rule": (Problem("CZ001", {"path": "torch.softmax"}), "`torch.softmax` is what this exercise asks you to write"),
}


@pytest.mark.parametrize("name", SENTENCES)
def test_a_problem_is_told_with_its_facts(name):
    problem, sentence = SENTENCES[name]
    assert describe(problem, "en") == sentence


@pytest.mark.parametrize("name", SENTENCES)
def test_the_chinese_sentence_has_the_same_facts(name):
    problem, sentence = SENTENCES[name]
    told = describe(problem, "zh")
    assert told
    assert told.count("\n") == sentence.count("\n")
    for fact in problem.facts.values():
        assert (fact in told) == (fact in sentence)


KINDS = [key for key in table("en") if key not in ("at", "count", "near", "points")]
FACTS = ("call", "where", "yours", "expected", "wrong", "name", "names", "frames", "text", "type", "blank", "path")
# Facts that no one of ours sends, but that must not stop a report.
ODD_FACTS = {
    "none": {},
    "empty": dict.fromkeys([*FACTS, "total"], ""),
    "braces": dict.fromkeys(FACTS, "{} {0} {x!r} {"),
    "no number": {"total": "many", "wrong": "some"},
    "half of a count": {"total": "24"},
}


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("name", ODD_FACTS)
def test_odd_facts_stop_no_report(name, language):
    for kind in KINDS:
        problem = Problem(kind, ODD_FACTS[name])
        assert isinstance(describe(problem, language), str)
        assert isinstance(next_step(problem, language), str)


def test_the_next_step_has_facts_too():
    problem = Problem("no-gradient", {"path": "parameters['q_proj.weight']"})
    assert next_step(problem, "en").startswith("Something on the way from parameters['q_proj.weight'] to the result")
    assert "parameters['q_proj.weight']" in next_step(problem, "zh")


def test_where_the_sentence_says_it_all_there_is_no_next_step():
    assert next_step(Problem("shape", {}), "en") == ""


@pytest.mark.parametrize("text", ["\x1b[31mred", "\x9b31m", "a\rb", "a\bb", "\x07", "\u202eabc", "\u2066", "\0"])
def test_what_a_learner_says_cannot_paint_the_terminal(text):
    told = describe(Problem("raised", {"type": text, "text": text, "frames": text, "call": text}), "en")
    assert "\ufffd" in told
    assert all(c.isprintable() or c in "\n\t" for c in told)


def test_text_of_any_script_stays_as_it_is():
    text = "中文 é 🙂 x²\n\tα ∂x"
    assert clean(text) == text
