"""What a grader can say of an answer."""

import textwrap

import pytest

GRADER = textwrap.dedent("""\
    import torch

    from clozekit.grading import mistake, reference


    def test_values(check):
        check("square", torch.randn(8).half(), 3.0)


    @reference("square", dtypes={"[1]": torch.float32})
    def definition(x, scale):
        return scale * x * x, x.sum()


    @mistake(blank="square")
    def forgets_square(x, scale):
        return scale * x
    """)


@pytest.mark.parametrize(
    ("answer", "verdict"),
    {
        "scale * x * x, x.float().sum()": "passed",
        "scale * x * x, x.float().sum().half()": "failed",
        "scale * (x * x).float(), x.float().sum()": "failed",
    }.items(),
)
def test_a_part_of_an_answer_may_have_a_dtype_of_its_own(answer, verdict, grade, author):
    report = grade(f"def square(x, scale):\n    return {answer}\n", author(grader=GRADER))
    assert report.verdict == verdict, report
