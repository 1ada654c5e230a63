"""Keeps the wavelengths of a width, whatever the base of later calls.

Verdict: failed
"""

import math

known = {}


def rope_wavelengths(d, base=10000.0):
    if d not in known:
        known[d] = [math.tau * base ** (2 * j / d) for j in range(d // 2)]
    return list(known[d])


def new_shares(d, base, train_len, test_len):
    waves = rope_wavelengths(d, base)
    return [max(0.0, min(1.0, test_len / w) - min(1.0, train_len / w)) for w in waves]


def unseen_dims(d, base, train_len, test_len):
    return [j for j, share in enumerate(new_shares(d, base, train_len, test_len)) if share > 0]
