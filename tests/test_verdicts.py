"""Who is to blame, and what it is worth: the learner, the grader's author, or the judge itself."""

import textwrap

import pytest

from clozekit.describe import describe
from clozekit.errors import ContentError
from clozekit.report import worst

SQUARE = "def square(x, scale=2.0):\n    return scale * x * x\n"


def test_a_grader_that_cannot_be_loaded_is_its_authors_error(grade, author):
    exercise = author(grader="import pytest\n\n1 / 0\n")
    with pytest.raises(
        ContentError, match=r"test_square.py cannot be loaded:(.|\n)*test_square.py:3(.|\n)*ZeroDivisionError"
    ):
        grade(SQUARE, exercise)
    exercise.grader_path.write_text("import os\nos._exit(1)\n")
    with pytest.raises(ContentError, match="its process ended"):
        grade(SQUARE, exercise)
    exercise.grader_path.write_text("def test_one(check):\n    check('square', 1.0, returns=2.0)\n")
    assert grade(SQUARE, exercise).verdict == "passed"


BLAME = textwrap.dedent("""\
    import pytest


    def test_right(check):
        check("square", 1.0, 3.0, returns=3.0)


    @pytest.mark.points(2)
    @pytest.mark.hidden
    def test_three_points(check):
        check("square", 2.0, 3.0, returns=12.0)


    @pytest.mark.points(0.5)
    def test_assertion(check):
        assert check("square", 3.0, 3.0, returns=27.0) > 0, "must be positive"


    def test_bug_in_the_grader(check):
        raise KeyError("our own")


    def test_no_reference(check):
        check("square", 1.0)


    def test_skipped(check):
        pytest.skip("no GPU here")
    """)


@pytest.fixture(scope="module")
def blame(author):
    return author(grader=BLAME)


def test_a_bug_in_a_grader_and_a_skip_are_never_the_learners(grade, blame):
    report = grade(SQUARE, blame)
    assert report.verdict == "could not check"
    assert [test.verdict for test in report.tests] == ["passed"] * 3 + ["could not check"] * 3
    assert [describe(test.problem, "en") for test in report.tests[3:]] == [
        "the grader itself failed, which is not your fault: KeyError: 'our own'",
        "the grader itself failed, which is not your fault: GraderError: no @reference('square') in this grader",
        "not checked: no GPU here",
    ]


def test_points_are_counted_in_part(grade, blame):
    report = grade("def square(x, scale):\n    return scale * x * x if x < 2 else None\n", blame)
    assert report.verdict == "failed"
    assert (report.points, report.max_points) == (1.0, 6.5)
    assert report.score == pytest.approx(1 / 6.5)
    assert [test.hidden for test in report.tests] == [False, True, False, False, False, False]


def test_the_worst_verdict_counts():
    assert worst(["passed", "could not check", "failed"]) == "failed"
    assert worst(["passed", "could not check"]) == "could not check"
    assert worst(["passed", "passed"]) == "passed"
    assert worst([]) == "could not check"


def test_a_broken_rule_fails_a_right_answer_without_points(grade, solution):
    report = grade(f"{solution}\nnever_called = torch.nn.functional.rms_norm\n")
    assert report.verdict == "failed"
    assert report.points == 0
    assert {test.verdict for test in report.tests} == {"passed"}
