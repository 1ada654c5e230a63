"""Each function by itself, in one expression; nothing is shared."""

import math


def rope_wavelengths(d, base=10000.0):
    return list(map(lambda j: math.tau / base ** -(2 * j / d), range(d // 2)))


def new_shares(d, base, train_len, test_len):
    return [
        max(0, min(1, test_len / w) - min(1, train_len / w))
        for w in (math.tau * math.exp(2 * j / d * math.log(base)) for j in range(d // 2))
    ]


def unseen_dims(d, base, train_len, test_len):
    return [j for j in range(d // 2) if train_len * base ** (-2 * j / d) < math.tau and train_len < test_len]
