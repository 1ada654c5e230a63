"""What a grader imports.

from clozekit.grading import mistake, reference

@reference("rms_norm", compute=torch.float32)
def definition(x, weight, eps=1e-6): ...          # exact, in float64

@mistake("rms_norm")
def forgets_eps(x, weight, eps=1e-6): ...         # a wrong answer, as a learner would type it

def test_plain_rows(check):
    check("rms_norm", torch.randn(3, 8), torch.ones(8))
"""

from clozekit.grading.marks import mistake, reference

__all__ = ["mistake", "reference"]
