"""numpy and a small class; the numbers of the pairs by flatnonzero."""

import numpy as np


class Wheel:
    def __init__(self, d, base):
        self.inv_freq = 1.0 / (base ** (np.arange(0, d, 2, dtype=np.float64) / d))

    @property
    def wavelength(self):
        return 2 * np.pi / self.inv_freq

    def shown(self, tokens):
        return np.minimum(tokens * self.inv_freq / (2 * np.pi), 1.0)


def rope_wavelengths(d, base=10000.0):
    return [float(w) for w in Wheel(d, base).wavelength]


def new_shares(d, base, train_len, test_len):
    wheel = Wheel(d, base)
    return np.maximum(wheel.shown(test_len) - wheel.shown(train_len), 0).tolist()


def unseen_dims(d, base, train_len, test_len):
    unfinished = Wheel(d, base).wavelength > train_len
    return [int(j) for j in np.flatnonzero(unfinished & (test_len > train_len))]
