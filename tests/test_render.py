"""Reports for people and for scripts: what they hold, and what they must not."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from clozekit import render
from clozekit.exercise import Policy, Sheet, Words
from clozekit.phrases import table
from clozekit.report import EXIT_STATUS, Finding, Picture, Problem, Report, Result, worst

VALUE = Problem("value", {"call": "f(1)", "where": "[1]", "yours": "2", "expected": "1", "wrong": "1", "total": "3"})
PICTURE = Picture([2, 3], ["009", "998"])
MISTAKES = {name: f"About {name}." for name in ("forgets_eps", "mixes_rows", "no_root")}


class Stub:
    """As much of an Exercise as a report asks for."""

    id = "lab/square"
    pack = None

    def __init__(self):
        en = Words("Square", "…", ["a", "b"], {}, MISTAKES)
        zh = Words("平方", "…", ["甲", "乙"], {}, dict.fromkeys(MISTAKES, "说明"), {"a case": "一例"})
        self.sheet = Sheet("source", ["f(x)"], en, zh, policy=Policy())

    def words(self, language):
        return self.sheet.zh if language == "zh" else self.sheet.en


EXERCISE = Stub()


def report(*tests: Result, verdict="failed", **more) -> Report:
    return Report("lab/square", verdict, "C", list(tests), **more)


def text(found: Report, language="en", reveal="all") -> str:
    return render.as_text(found, EXERCISE, language, reveal).plain


# The shape of the JSON


def test_the_json_has_the_fixed_keys_in_their_order():
    found = report(
        Result("a case", "failed", problem=VALUE, mistake="forgets_eps", points=2.0),
        Result("another", "passed"),
        findings=[Finding("CZ001", "warning", 3, 12, Problem("CZ001", {"path": "torch.x"}))],
        mistake="forgets_eps",
        seconds=0.125,
    )
    said = render.as_json(found, EXERCISE, "en", "all")
    assert json.loads(json.dumps(said)) == said
    assert list(said.items()) == [
        ("schema", 1),
        ("exercise", "lab/square"),
        ("verdict", "failed"),
        ("score", 0.333333),
        ("points", 1.0),
        ("max_points", 3.0),
        ("tier", "C"),
        ("tests", said["tests"]),
        ("findings", said["findings"]),
        ("meters", []),
        ("seconds", 0.125),
    ]
    assert said["tests"] == [
        {
            "name": "a case",
            "verdict": "failed",
            "hidden": False,
            "points": 0.0,
            "max_points": 2.0,
            "message": "f(1)\nat [1]: yours 2, expected 1 (1 of 3 elements are off)\nAbout forgets_eps.",
            "mistake": "forgets_eps",
        },
        {
            "name": "another",
            "verdict": "passed",
            "hidden": False,
            "points": 1.0,
            "max_points": 1.0,
            "message": "",
            "mistake": None,
        },
    ]
    assert said["findings"] == [
        {
            "code": "CZ001",
            "severity": "warning",
            "line": 3,
            "column": 12,
            "message": "`torch.x` is what this exercise asks you to write",
        }
    ]


def test_a_report_without_tests_says_why():
    found = report(verdict="could not check", problem=Problem("engine", {"error": "torch is missing"}))
    said = render.as_json(found, EXERCISE, "en", "visible")
    assert said["message"] == "the judge itself failed, which is not your fault: torch is missing"
    assert (said["score"], said["points"], said["max_points"], said["tests"]) == (0.0, 0.0, 0.0, [])
    assert said["message"] in text(found)


def test_reports_of_the_same_seed_differ_in_seconds_only():
    one, two = (report(Result("a case", "failed", problem=VALUE), seconds=seconds) for seconds in (1.0, 2.0))
    first, second = (render.as_json(each, EXERCISE, "zh", "all") for each in (one, two))
    assert first.pop("seconds") != second.pop("seconds")
    assert first == second
    assert text(one) == text(two)


# Verdicts and points

# Points and verdicts of the tests, severity of a finding; points, of how many, score.
SCORES = {
    "all": ([(1.0, "passed"), (1.0, "passed")], None, (2.0, 2.0, 1.0)),
    "partial credit": ([(3.0, "passed"), (1.0, "failed")], None, (3.0, 4.0, 0.75)),
    "none": ([(1.0, "failed")], None, (0.0, 1.0, 0.0)),
    "what could not be checked earns nothing": ([(1.0, "passed"), (1.0, "could not check")], None, (1.0, 2.0, 0.5)),
    "a broken rule": ([(1.0, "passed")], "error", (0.0, 1.0, 0.0)),
    "a warning": ([(1.0, "passed")], "warning", (1.0, 1.0, 1.0)),
    "no tests": ([], None, (0.0, 0.0, 0.0)),
    "tests worth nothing": ([(0.0, "passed")], None, (0.0, 0.0, 0.0)),
}


@pytest.mark.parametrize("name", SCORES)
def test_points_add_up(name):
    tests, severity, expected = SCORES[name]
    findings = [Finding("CZ001", severity, 1, 1, Problem("CZ001", {"path": "x"}))] if severity else []
    found = report(*(Result("t", verdict, points=points) for points, verdict in tests), findings=findings)
    said = render.as_json(found, EXERCISE, "en", "all")
    assert (said["points"], said["max_points"], said["score"]) == expected


@pytest.mark.parametrize(
    ("verdicts", "verdict"),
    [
        (["passed", "passed"], "passed"),
        (["passed", "could not check"], "could not check"),
        (["could not check", "failed", "passed"], "failed"),
        (["passed", "failed"], "failed"),
        ([], "could not check"),
    ],
)
def test_failed_wins_over_could_not_check_and_that_over_passed(verdicts, verdict):
    assert worst(verdicts) == verdict


@pytest.mark.parametrize(
    ("verdict", "words"), [("passed", "passed"), ("failed", "未通过"), ("could not check", "无法检查")]
)
def test_the_last_line_is_the_verdict(verdict, words):
    language = "en" if words == verdict else "zh"
    last = text(report(Result("t", verdict, points=0.5), verdict=verdict), language).splitlines()[-1]
    assert last.startswith(f"{words}  lab/square  ")
    assert "0.5" in last
    assert verdict in EXIT_STATUS


# What a learner reads


def test_a_failed_report_tells_place_mistake_and_next_step():
    found = report(
        Result("a case", "failed", problem=VALUE, mistake="forgets_eps", output="hello\n"),
        Result("b", "passed"),
        mistake="forgets_eps",
    )
    assert text(found).splitlines() == [
        "✗ a case",
        "    f(1)",
        "    at [1]: yours 2, expected 1 (1 of 3 elements are off)",
        "    Your code printed:",
        "      hello",
        "✓ 1 of 2 tests passed",
        "Likely mistake  About forgets_eps.  (forgets_eps)",
        "Next  `cloze hint lab/square` gives a hint.",
        "failed  lab/square  1 of 2 points",
    ]


def test_a_case_has_its_title_in_the_learners_language():
    assert "✗ 一例" in text(report(Result("a case", "failed", problem=VALUE)), "zh")
    said = render.as_json(report(Result("a case", "failed", problem=VALUE)), EXERCISE, "zh", "all")
    assert said["tests"][0]["name"] == "一例"


def test_an_unknown_mistake_is_said_to_be_unknown():
    assert "It is none of the mistakes that we know." in text(report(Result("a", "failed", problem=VALUE)))
    raised = Problem("raised", {"type": "ValueError", "text": "x"})
    assert "It is none" not in text(report(Result("a", "failed", problem=raised)))


def test_the_same_problem_is_told_once_and_three_at_most():
    same = [Result(f"same {i}", "failed", problem=VALUE) for i in range(3)]
    others = [Result(f"o{i}", "failed", problem=Problem("raised", {"type": f"E{i}", "text": "x"})) for i in range(9)]
    shown = text(report(*same, *others))
    assert shown.count("at [1]") == 1
    assert [f"E{i}: x" in shown for i in range(4)] == [True, True, False, False]
    assert all(f"✗ o{i}" in shown for i in range(9))


def test_what_could_not_be_checked_is_marked_as_no_fault():
    found = report(Result("a", "could not check", problem=Problem("grader", {"error": "KeyError: 3"})))
    assert "? a" in text(found)
    assert "not your fault: KeyError: 3" in text(found)


def test_what_could_not_be_checked_calls_for_no_next_step():
    problem = Problem("timeout", {"seconds": "1"})
    shown = text(report(Result("a", "could not check", problem=problem), verdict="could not check"))
    assert shown.splitlines()[-2:] == ["✗ 0 of 1 tests passed", "could not check  lab/square  0 of 1 points"]


def test_a_report_without_tests_counts_none():
    found = report(verdict="could not check", problem=Problem("grader", {"error": "x"}))
    assert text(found).splitlines() == [
        "  the grader itself failed, which is not your fault: x",
        "could not check  lab/square  0 of 0 points",
    ]


def test_a_finding_is_told_with_its_place_and_what_to_do():
    found = report(findings=[Finding("CZ001", "error", 3, 12, Problem("CZ001", {"path": "torch.x"}))])
    assert text(found).splitlines()[:2] == [
        "✗ 3:12 CZ001 `torch.x` is what this exercise asks you to write",
        "    Write it with simpler operations; the statement has the formula.",
    ]


def test_a_file_that_cannot_be_read_is_told_once():
    problem = Problem("syntax", {"line": "2", "reason": "invalid syntax", "code": "    x = = 1\n        ^"})
    found = report(Result("a", "failed", problem=problem), Result("b", "failed", problem=problem), problem=problem)
    assert text(found).count("invalid syntax") == 1
    assert "      x = = 1\n          ^\n" in text(found)


def test_a_mistake_that_nobody_explained_is_told_by_its_name():
    found = report(Result("a", "failed", problem=VALUE, mistake="brand_new"), mistake="brand_new")
    assert "brand_new" in text(found)
    assert "brand_new" in render.as_json(found, EXERCISE, "zh", "all")["tests"][0]["message"]


def test_a_passed_report_says_what_comes_next():
    assert "cloze solution lab/square" in text(report(Result("a", "passed"), verdict="passed"))


def test_the_first_picture_is_shown_and_no_other():
    tests = [Result(f"t{i}", "failed", problem=Problem("value", {"yours": str(i)}), picture=PICTURE) for i in range(3)]
    assert text(report(*tests)).splitlines()[:5] == [
        "✗ t0",
        "    yours 0, expected",
        "    where [2, 3] is off, from . (correct) to 9 (farthest):",
        "      ..9",
        "      998",
    ]
    assert text(report(*tests)).count("farthest") == 1
    assert text(report(Result("a", "failed", problem=VALUE), tests[0])).count("farthest") == 1


# Hidden cases

CANARY = "canary-7f3a"
FACTS = ("call", "where", "yours", "expected", "text", "frames", "names", "path", "first", "second", "error", "reason")
SECRET = {"total": "7313", "wrong": "7311", "position": "7312", "small": "7314", **dict.fromkeys(FACTS, CANARY)}
KINDS = [key for key in table("en") if key not in ("at", "count", "near", "points")]


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("kind", KINDS)
def test_of_a_hidden_case_nothing_is_told_but_title_verdict_and_mistake(kind, language):
    def hidden(problem, output):
        return report(
            Result(
                "a case", "failed", hidden=True, problem=problem, mistake="forgets_eps", output=output, picture=PICTURE
            ),
            mistake="forgets_eps",
        )

    found = hidden(Problem(kind, SECRET), f"printed {CANARY}")
    other = hidden(Problem("value", {}), "")
    for each in (found, other):
        each.seconds = 1.0
    told = json.dumps(render.as_json(found, EXERCISE, language, "visible")) + text(found, language, "visible")
    assert CANARY not in told
    assert "731" not in told
    assert told == json.dumps(render.as_json(other, EXERCISE, language, "visible")) + text(other, language, "visible")
    assert "forgets_eps" in told


def test_a_hidden_failure_says_that_it_is_hidden():
    result = Result("h", "failed", hidden=True, problem=VALUE, mistake="forgets_eps")
    told = "a hidden case; it tells no more than this"
    said = render.as_json(report(result), EXERCISE, "en", "visible")
    assert said["tests"][0]["message"] == f"{told}\nAbout forgets_eps."
    assert text(report(result), reveal="visible").splitlines()[:2] == ["✗ h", f"    {told}"]


def test_hidden_cases_are_not_told_apart_by_what_is_left_out():
    """Two hidden failures of one kind and two of different kinds must read the same."""
    alike = report(*(Result(f"t{i}", "failed", hidden=True, problem=VALUE) for i in range(2)))
    unlike = report(
        Result("t0", "failed", hidden=True, problem=VALUE),
        Result("t1", "failed", hidden=True, problem=Problem("timeout", {"seconds": "1"})),
    )
    assert text(alike, reveal="visible") == text(unlike, reveal="visible")


def test_the_advice_comes_from_a_visible_case_even_if_a_hidden_one_fails_first():
    found = report(
        Result("h", "failed", hidden=True, problem=Problem("segfault", {"signal": "SIGSEGV"})),
        Result("v", "failed", problem=Problem("timeout", {"seconds": "1"})),
    )
    assert "Is there a loop that never ends?" in text(found, reveal="visible")
    assert "memory outside" not in text(found, reveal="visible")


def test_a_passed_hidden_case_is_told_as_passed():
    found = report(Result("h", "passed", hidden=True, output=CANARY), verdict="passed")
    assert render.as_json(found, EXERCISE, "en", "visible")["tests"][0]["message"] == ""
    assert CANARY not in text(found, reveal="visible")


def test_with_all_revealed_a_hidden_case_tells_everything():
    found = report(Result("h", "failed", hidden=True, problem=VALUE, output=CANARY))
    assert "yours 2, expected 1" in text(found)
    assert CANARY in text(found)
    assert "yours 2" in render.as_json(found, EXERCISE, "en", "all")["tests"][0]["message"]


# Text that looks like something else

ODD_TEXTS = [
    "[red]text[/red]",
    "[/]",
    "[/nothing]",
    "[bold",
    "\\[bold]",
    "\\",
    "x[a:b] [link=http://x]y[/link]",
    ":smile: :100:",
    "\x1b[31m",
    "\u202e",
    "[1, 2]",
    "😀中文\t|",
]


def printed(found: Report) -> str:
    console = Console(width=500, highlight=False, color_system=None)
    with console.capture() as capture:
        console.print(render.as_text(found, EXERCISE, "en", "all"))
    return capture.get()


def speaking(one: str, other: str) -> Report:
    problem = Problem("raised", {"type": one, "text": other, "call": one, "frames": other})
    finding = Finding("CZ001", "error", 1, 1, Problem("CZ001", {"path": one}))
    result = Result(other, "failed", problem=problem, output=one, mistake="forgets_eps")
    return report(result, findings=[finding], mistake="forgets_eps")


@pytest.mark.parametrize("odd", ODD_TEXTS)
def test_text_is_shown_as_it_is_whatever_it_looks_like(odd):
    shown = printed(speaking(odd, odd))
    visible = "".join(c if c.isprintable() or c == "\t" else "\ufffd" for c in odd)
    wanted = visible.expandtabs(8) if "\t" in visible else visible
    assert shown.replace(" ", "").count(wanted.replace(" ", "")) >= 6
    assert "\x1b" not in shown


def test_a_bracket_in_one_text_does_not_close_in_the_next():
    assert "[/x" in printed(speaking("]", "[/x"))
    assert "[/x" in printed(speaking("[/x", "]"))


@settings(deadline=None)
@given(st.text(), st.text(), st.sampled_from(KINDS), st.sampled_from(["en", "zh"]))
def test_no_text_stops_a_report(one, other, kind, language):
    found = speaking(one, other)
    found.tests.append(Result(one, "failed", problem=Problem(kind, dict.fromkeys(SECRET, other)), output=other))
    for reveal in ("all", "visible"):
        console = Console(width=80)
        with console.capture():
            console.print(render.as_text(found, EXERCISE, language, reveal))
        json.dumps(render.as_json(found, EXERCISE, language, reveal))
