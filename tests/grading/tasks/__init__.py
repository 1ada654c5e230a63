"""What the judge of closeness is tried on: formulas with honest implementations in many styles, and with mistakes.

TASKS["rms_norm"]       Task(reference, cases={"long rows": …}, honest={"einsum": …}, mistakes={"no eps": …}, gradients=True)
"""

from tasks import attention, elementwise, normalization, sums

TASKS = normalization.TASKS | attention.TASKS | elementwise.TASKS | sums.TASKS
