"""What a call of torch may cost: the solution's costs times the thresholds, for functions, modules and what has a state."""

import json

import pytest
import torch

from clozekit import blanks, calls, values
from clozekit.catalog import builtin_root
from clozekit.exercise import Exercise
from clozekit.grading.candidate import Answer
from clozekit.grading.measured import Yardstick, growths, nearest
from clozekit.grading.questions import Kept, Question, encode
from clozekit.meters.bills import alike
from clozekit.meters.counts import Counts
from clozekit.render import as_json, as_text
from clozekit.report import Growth, Meter, Step

KV_CACHE = Exercise(builtin_root(), "attention/kv_cache")
HEADS = Exercise(builtin_root(), "attention/multi_head_attention")

GRADER = """
import pytest
import torch
from clozekit.grading import mistake, reference

@pytest.mark.hidden
def test_hidden(check):
    check("square", torch.randn(1000), 2.0, measured=True)

def test_visible(check):
    check("square", torch.randn(10), 2.0, measured=True)

@reference("square")
def definition(x, scale=1.0):
    return scale * x * x

@mistake(blank="square")
def one(x, scale):
    return scale * x

@mistake(blank="square")
def two(x, scale):
    return x * x

@mistake(blank="square")
def three(x, scale):
    return scale * x * x * x
"""


@pytest.fixture(scope="module")
def square(author):
    """square(thresholds): the private exercise, two products of n elements, and what may be spent on it."""

    def square(**thresholds):
        exercise = author(grader=GRADER)
        tables = {"thresholds": thresholds, "en.thresholds": dict.fromkeys(thresholds, "It takes two products.")}
        tables["zh.thresholds"] = tables["en.thresholds"]
        text = exercise.words_path.read_text("utf-8")
        for table, rows in tables.items():
            text += f"\n[{table}]\n" + "".join(
                f"{name} = {json.dumps(row) if isinstance(row, str) else row}\n" for name, row in rows.items()
            )
        exercise.words_path.write_text(text, "utf-8")
        return exercise

    return square


def answer(body):
    return f"import torch\n\n\ndef square(x, scale=1.0):\n    {body}\n"


def test_the_solution_costs_what_it_costs(square, grade):
    report = grade(answer("return scale * x * x"), square(flops=1, bytes=1.5, operators=2))
    assert report.verdict == "passed"
    found = {meter.name: (meter.value, meter.bar) for meter in report.meters}
    assert found == {"flops": (20, 20), "bytes": (40 + 40 + 80 + 40, 300), "operators": (2, 4)}


@pytest.mark.parametrize("language", ["en", "zh"])
def test_what_is_above_its_bar_is_told_with_its_reason(square, grade, language):
    exercise = square(flops=1)
    report = grade(answer("return scale * x * x * 1.0"), exercise)
    text = as_text(report, exercise, language, "visible").plain
    assert report.verdict == "failed"
    assert "30" in text
    assert "20" in text
    assert "It takes two products." in text
    assert report.mistake is None
    assert [(meter.value, meter.verdict) for meter in report.meters] == [(30, "failed")]
    assert report.growths == []  # the other size is hidden
    assert "2000" not in text  # that of the hidden case
    assert "3000" not in json.dumps(as_json(report, exercise, language, "visible"))


def test_a_wrong_answer_is_not_asked_what_it_cost(square, grade):
    report = grade(answer("return scale * x"), square(flops=1))
    assert {test.problem.kind for test in report.tests if test.problem} == {"value"}


def test_a_bar_of_infinity_only_shows(square, grade):
    exercise = square(operators=torch.inf)
    report = grade(answer("return scale * x * x" + " * 1.0" * 50), exercise)
    assert report.verdict == "passed"
    [meter] = json.loads(json.dumps(as_json(report, exercise, "en", "all"), allow_nan=False))["meters"]
    assert meter == {"name": "operators", "value": 52, "bar": None, "verdict": "passed"}


def test_steps_of_python_are_counted_where_they_have_a_bar(square, grade):
    loop = "for _ in range(100): pass\n    return scale * x * x"
    assert grade(answer(loop), square(flops=1)).verdict == "passed"
    report = grade(answer(loop), square(steps=10))
    assert {test.problem.kind for test in report.tests} == {"meter-steps"}


def test_without_thresholds_it_is_the_author_who_is_told(author, grade):
    report = grade(answer("return scale * x * x"), author(grader=GRADER))
    assert report.verdict == "could not check"
    assert "no [thresholds]" in report.tests[0].problem.facts["error"]


def test_a_file_that_sends_no_counts_is_refused():
    question = Question("square(3)", calls.Call(0, "square", None, [3], {}), [], bars={"flops": 1.0})
    assert question.judge(Answer(value=9)).kind == "protocol"
    assert question.judge(Answer(value=9, cost=Counts(flops=1))) is None
    assert question.judge(Answer(value=9, cost=Counts(flops=2))).kind == "meter-flops"


def test_the_solution_answers_all_questions_up_to_the_one_that_counts():
    """Of the fifth token: 5 scores of 4 features and 2 heads, and as many sums."""
    yardstick = Yardstick(KV_CACHE.solution, {"flops": 1})
    cache = Kept(1, "KVCache", {}, None)
    asked = [encode(None, "KVCache", (), {}, keep=1)]
    for tokens in (4, 1):
        q, k, v = torch.zeros(3, 1, 2, tokens, 4)
        asked.append(encode(None, "attend", (q, k, v, cache), {}))
    call, buffers = asked[-1]
    bars = yardstick.bars([*asked[:-1], (yardstick.request(call), buffers)])
    products, scale, softmax, comparison = 2 * (2 * 2 * 4 * 5), 2 * 5, 5 * 2 * 5, 0
    assert bars == {"flops": products + scale + softmax + comparison}


def test_the_parameters_of_a_module_are_part_of_the_questions():
    yardstick = Yardstick(HEADS.solution, {"flops": 1})
    buffers: list = []
    drawn = {f"{name}_proj.weight": torch.zeros(8, 8) for name in ("q", "k", "v", "out")}
    parameters = calls.Parameters(0, 1, {name: values.encode(value, buffers) for name, value in drawn.items()})
    config = {"d_model": 8, "num_heads": 2, "bias": False}
    call, x = encode(1, "", (torch.zeros(1, 5, 8),), {})
    asked = [encode(None, "MultiHeadAttention", (), config, keep=1), (parameters, buffers)]
    [flops] = yardstick.bars([*asked, (yardstick.request(call), x)]).values()
    assert flops == 8 * 5 * 8 * 8 + 4 * 5 * 5 * 8 + (1 + 5) * 2 * 5 * 5


def test_slow_caches_are_named(grade):
    source = blanks.reveal(KV_CACHE.solution)
    slow = source.replace(
        "return torch.cat(self.keys, dim=2), torch.cat(self.values, dim=2)",
        "k, v = self.keys[0], self.values[0]\n"
        "        for i in range(1, len(self.keys)):\n"
        "            k, v = torch.cat((k, self.keys[i]), -2), torch.cat((v, self.values[i]), -2)\n"
        "        return k, v",
    )
    assert slow != source
    report = grade(slow, KV_CACHE)
    assert report.mistake == "joins_one_by_one"
    assert [test.name for test in report.tests if test.verdict == "failed"] == ["cost of a token: long text"]
    [growth] = [growth for growth in report.growths if growth.name == "bytes"]
    steps = {step.test.partition("cost of a token")[2].strip(": "): step for step in growth.steps}
    assert [*steps] == ["short text", "long text", "behind a long prompt"]
    short, long = steps["short text"], steps["long text"]
    assert short.value <= short.bar
    assert long.value / long.bar > 1.2 * short.value / short.bar


def meters(**costs):
    """meters(flops=(9, 2)): 9, where 2 are allowed."""
    return {
        name: Meter(name, value, bar, "passed" if value <= bar else "failed") for name, (value, bar) in costs.items()
    }


def test_mistakes_are_told_apart_by_what_they_cost():
    too_much = meters(flops=(9, 2), bytes=(1, 2))
    assert alike(too_much, meters(flops=(10, 2), bytes=(2, 2)))
    assert not alike(too_much, meters(flops=(20, 2), bytes=(1, 2)))
    assert not alike(too_much, meters(flops=(9, 2), bytes=(3, 2)))


def test_of_several_calls_the_nearest_to_its_bar_is_shown():
    small, large = (meters(flops=cost, operators=(cost[0], torch.inf)) for cost in ((3, 4), (50, 100)))
    assert nearest([*small.values(), *large.values()]) == [large["operators"], small["flops"]]


def test_a_cost_grows_by_the_dearest_call_of_each_test_and_the_smallest_comes_first():
    calls = {"long": [meters(flops=(40, 40)), meters(flops=(90, 40))], "short": [meters(flops=(9, 10))]}
    asked = [(test, meter["flops"]) for test, measured in calls.items() for meter in measured]
    assert growths(asked) == [Growth("flops", [Step("short", 9, 10), Step("long", 90, 40)])]


def test_nothing_grows_in_one_size_or_without_a_bar():
    same = [("a", meters(flops=(4, 10))["flops"]), ("b", meters(flops=(9, 10))["flops"])]
    shown = [("a", meters(bytes=(4, torch.inf))["bytes"]), ("b", meters(bytes=(9, torch.inf))["bytes"])]
    assert growths([*same, *shown]) == []
