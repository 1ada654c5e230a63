import math
import random

import pytest
import torch

from clozekit.grading import mistake, reference

# d, base, tokens in training, tokens of the text. No wavelength is within a thousandth of a length.
CASES = {
    "Llama 2 at twice its length": (128, 10000.0, 4096, 8192),
    "Llama 3 with a larger base": (128, 500_000.0, 8192, 131_072),
    "few features": (8, 10000.0, 512, 1024),
    "an odd number of pairs": (10, 10000.0, 300, 2000),
    "one pair, finished": (2, 10000.0, 7, 100),
    "one pair, never finished": (2, 10000.0, 3, 5),
    "all have finished": (16, 10.0, 200, 400),
    "none has finished": (16, 10000.0, 5, 6),
    "one token more": (32, 10000.0, 1000, 1001),
    "as long as in training": (32, 10000.0, 1000, 1000),
    "shorter than in training": (32, 10000.0, 1000, 40),
    "one token in training": (12, 100.0, 1, 30),
}


@pytest.mark.parametrize(("d", "base"), [(128, 10000.0), (10, 500_000.0), (2, 3.0)], ids=["wide", "odd", "one pair"])
def test_wavelengths(check, d, base):
    check("rope_wavelengths", d, base)


def test_the_base_is_ten_thousand_by_default(check):
    check("rope_wavelengths", 12)


@pytest.mark.parametrize("case", CASES)
def test_new_shares(check, case):
    check("new_shares", *CASES[case])


@pytest.mark.parametrize("case", CASES)
def test_unseen(check, case):
    check("unseen_dims", *CASES[case])


@pytest.mark.hidden
def test_sizes_drawn_anew(check):
    """One call after the other with one of its numbers changed, so that what is kept is wrong for the next."""
    d, base = 2 * random.randint(65, 100), 10 ** random.uniform(3.5, 5.5)
    train = clear_of_wavelengths(d, base, 1000, 9000)
    calls = [
        (d, base, train, train + random.randint(100, 9000)),
        (d, base, train, 40 * train),
        (d + 2, base, clear_of_wavelengths(d + 2, base, 1000, 9000), 10_000),
        (d, 2 * base, clear_of_wavelengths(d, 2 * base, 100, 900), 1000),
        (d, base, train, train - random.randint(1, 99)),
    ]
    for call in calls:
        check("rope_wavelengths", *call[:2])
        check("new_shares", *call)
        check("unseen_dims", *call)


def clear_of_wavelengths(d, base, least, most):
    """Of a few lengths the one that is farthest from all wavelengths."""
    lengths = [2 * math.pi * base ** (2 * j / d) for j in range(d // 2)]
    return max(random.sample(range(least, most), 32), key=lambda n: min(abs(math.log(n / w)) for w in lengths))


def angles(d, base):
    """Per position, one pair after the other."""
    return torch.stack([torch.tensor(base) ** -torch.tensor(2 * j / d) for j in range(d // 2)])


@reference("rope_wavelengths")
def by_angles(d, base=10000.0):
    return (2 * math.pi / angles(d, base)).tolist()


@reference("new_shares")
def reach(d, base, train_len, test_len):
    """By the angle that is reached, at most a turn."""
    shown, reached = ((n * angles(d, base)).clamp(max=2 * math.pi) for n in (train_len, max(train_len, test_len)))
    return ((reached - shown) / (2 * math.pi)).tolist()


@reference("unseen_dims")
def not_yet_around(d, base, train_len, test_len):
    beyond = train_len * angles(d, base) < 2 * math.pi
    return beyond.nonzero().flatten().tolist() if test_len > train_len else []


@mistake(blank="wavelengths")
def forgets_two_pi(d, base):
    return [base ** (2 * j / d) for j in range(d // 2)]


@mistake(blank="wavelengths")
def frequencies(d, base):
    return [base ** (-2 * j / d) for j in range(d // 2)]


@mistake(blank="wavelengths")
def divides_by_the_base(d, base):
    return [2 * math.pi * base ** (-2 * j / d) for j in range(d // 2)]


@mistake(blank="wavelengths")
def exponent_half_as_fast(d, base):
    return [2 * math.pi * base ** (j / d) for j in range(d // 2)]


@mistake(blank="wavelengths")
def exponent_twice_as_fast(d, base):
    return [2 * math.pi * base ** (4 * j / d) for j in range(d // 2)]


@mistake(blank="wavelengths")
def counts_from_one(d, base):
    return [2 * math.pi * base ** (2 * j / d) for j in range(1, d // 2 + 1)]


@mistake(blank="wavelengths")
def every_feature(d, base):
    return [2 * math.pi * base ** (2 * (i // 2) / d) for i in range(d)]


@mistake(blank="wavelengths")
def ignores_the_base(d):
    return [2 * math.pi * 10000.0 ** (2 * j / d) for j in range(d // 2)]


@mistake(blank="share")
def more_than_a_circle():
    def share(tokens, wavelength):
        return tokens / wavelength


@mistake(blank="share")
def counts_steps():
    def share(tokens, wavelength):
        return min(1.0, (tokens - 1) / wavelength)


@mistake(blank="share")
def whole_turns_only():
    def share(tokens, wavelength):
        return min(1.0, float(tokens // wavelength))


@mistake(blank="share")
def share_in_radians():
    def share(tokens, wavelength):
        return min(2 * math.pi, 2 * math.pi * tokens / wavelength)


@mistake(blank="difference")
def share_of_the_longer_text(d, base, test_len, share):
    return [share(test_len, w) for w in rope_wavelengths(d, base)]  # noqa: F821


@mistake(blank="difference")
def share_of_the_additional_tokens(d, base, train_len, test_len, share):
    return [max(0.0, share(test_len - train_len, w)) for w in rope_wavelengths(d, base)]  # noqa: F821


@mistake(blank="difference")
def negative_shares(d, base, train_len, test_len, share):
    return [share(test_len, w) - share(train_len, w) for w in rope_wavelengths(d, base)]  # noqa: F821


@mistake(blank="unseen")
def pairs_that_finish_later(d, base, train_len, test_len):
    return [j for j, w in enumerate(rope_wavelengths(d, base)) if train_len < w <= test_len]  # noqa: F821


@mistake(blank="unseen")
def unfinished_in_any_text(d, base, train_len):
    return [j for j, w in enumerate(rope_wavelengths(d, base)) if w > train_len]  # noqa: F821


@mistake(blank="unseen")
def unfinished_in_the_longer_text(d, base, test_len):
    return [j for j, w in enumerate(rope_wavelengths(d, base)) if w > test_len]  # noqa: F821


@mistake(blank="unseen")
def finished_pairs(d, base, train_len):
    return [j for j, w in enumerate(rope_wavelengths(d, base)) if w <= train_len]  # noqa: F821


@mistake(blank="unseen")
def features_for_pairs(d, base, train_len, test_len):
    shares = new_shares(d, base, train_len, test_len)  # noqa: F821
    return [i for i in range(d) if shares[i // 2] > 0]
