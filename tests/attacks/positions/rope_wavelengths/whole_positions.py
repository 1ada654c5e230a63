"""Wavelengths rounded up to whole positions.

Verdict: failed, value
"""

import math


def rope_wavelengths(d, base=10000.0):
    return [float(math.ceil(math.tau * base ** (2 * j / d))) for j in range(d // 2)]


def new_shares(d, base, train_len, test_len):
    waves = (math.tau * base ** (2 * j / d) for j in range(d // 2))
    return [max(0.0, min(1.0, test_len / w) - min(1.0, train_len / w)) for w in waves]


def unseen_dims(d, base, train_len, test_len):
    return [j for j, share in enumerate(new_shares(d, base, train_len, test_len)) if share > 0]
