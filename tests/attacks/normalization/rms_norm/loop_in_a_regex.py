"""A regular expression that backtracks for ever, without a signal check.

Seconds: 0.5
Verdict: failed, timeout
"""

import re


def rms_norm(x, weight, eps=1e-6):
    re.match(r"(a|a|b?)*c", "a" * 5000)
    re.match(r"((a+)+)+$", "a" * 60 + "b")
