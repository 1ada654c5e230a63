"""The first unfinished pair by a logarithm; wavelengths by multiplying on, with one ratio."""

from math import ceil, floor, log, tau


def rope_wavelengths(d: int, base: float = 10000.0) -> list[float]:
    ratio, waves = base ** (2 / d), [tau]
    while len(waves) < d // 2:
        waves.append(waves[-1] * ratio)
    return waves


def new_shares(d: int, base: float, train_len: int, test_len: int) -> list[float]:
    result = []
    for wave in rope_wavelengths(d, base):
        if wave <= train_len or test_len <= train_len:
            result.append(0.0)
        elif wave <= test_len:
            result.append(1 - train_len / wave)
        else:
            result.append((test_len - train_len) / wave)
    return result


def unseen_dims(d: int, base: float, train_len: int, test_len: int) -> list[int]:
    if not test_len > train_len:
        return []
    first = floor(d / 2 * log(train_len / tau, base)) + 1  # λ_j > L from here on
    return [*range(max(first, 0), ceil(d / 2))]
