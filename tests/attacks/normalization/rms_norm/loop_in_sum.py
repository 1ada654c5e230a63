"""sum of an endless iterator, in one call of C.

Seconds: 0.5
Verdict: failed, timeout
"""

import itertools


def rms_norm(x, weight, eps=1e-6):
    return sum(itertools.repeat(0))
