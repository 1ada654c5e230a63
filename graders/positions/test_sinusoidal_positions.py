import random

import pytest
import torch

from clozekit.grading import mistake, reference

# positions, features, base. Each case tells the answer apart from a mistake that resembles it.
CASES = {
    "a few positions": (6, 8, 10000.0),
    "one position": (1, 8, 10000.0),
    "one pair": (6, 2, 10000.0),
    "one feature": (6, 1, 10000.0),
    "an odd number of features": (6, 7, 10000.0),
    "more features than positions": (3, 64, 10000.0),
    "small base": (6, 8, 100.0),
    "far along": (3000, 6, 10000.0),
}


@pytest.mark.parametrize("case", CASES)
def test_values(check, case):
    check("sinusoidal", *CASES[case], dtype=torch.float32)


def test_base_is_ten_thousand_by_default(check):
    check("sinusoidal", 6, 8, dtype=torch.float32)


def test_no_loop_over_the_positions(check):
    d, base = random.randint(3, 12), 10 ** random.uniform(1.5, 4.5)  # of no call that could be known by its sizes
    check.steps_do_not_grow("sinusoidal", (random.randint(5, 9), d, base), (random.randint(200, 300), d, base))


@pytest.mark.hidden
def test_sizes_drawn_anew(check):
    """One call after the other with one of its numbers changed, so that a table that is kept is wrong for the next."""
    t, d, base = random.randint(20, 40), random.randint(5, 20), 10 ** random.uniform(2, 5)
    for call in (
        (t, d, base),
        (t, d + 1, base),
        (t, d, 3 * base),
        (2 * t, d, base),
        (random.randint(5001, 7000), 3, base),
    ):
        check("sinusoidal", *call, dtype=torch.float32)
    check("sinusoidal", random.randint(3, 7), random.randint(513, 800), dtype=torch.float32)


@reference("sinusoidal")
def definition(t, d, base=10000.0):
    """Feature by feature: an even one is the sine of its angle, an odd one the cosine."""
    columns = []
    for feature in range(d):
        wavelength = torch.tensor(base) ** torch.tensor(2 * (feature // 2) / d)  # up to the factor 2 pi
        angle = torch.arange(t, dtype=torch.float64) / wavelength
        columns.append(torch.cos(angle) if feature % 2 else torch.sin(angle))
    return torch.stack(columns, dim=1)


@mistake(blank="frequencies")
def ignores_base(d):
    pair = torch.arange((d + 1) // 2)
    frequencies = 10000.0 ** (-2 * pair / d)


@mistake(blank="frequencies")
def loses_the_superscript(d, base):
    pair = torch.arange((d + 1) // 2)
    frequencies = 1 / (base * 2 * pair / d)


@mistake(blank="frequencies")
def exponent_half_as_fast(d, base):
    pair = torch.arange((d + 1) // 2)
    frequencies = base ** (-pair / d)


@mistake(blank="frequencies")
def doubles_twice(d, base):
    even = torch.arange(0, d, 2)
    frequencies = base ** (-2 * even / d)


@mistake(blank="frequencies")
def frequencies_grow(d, base):
    pair = torch.arange((d + 1) // 2)
    frequencies = base ** (2 * pair / d)


@mistake(blank="frequencies")
def last_wavelength_is_base(d, base):
    pair = torch.arange((d + 1) // 2)
    frequencies = base ** (-pair / max(len(pair) - 1, 1))


@mistake(blank="frequencies")
def pairs_from_one(d, base):
    pair = torch.arange(1, (d + 1) // 2 + 1)
    frequencies = base ** (-2 * pair / d)


@mistake("sinusoidal")
def a_frequency_for_each_feature(t, d, base=10000.0):
    angles = torch.arange(t)[:, None] * base ** (-torch.arange(d) / d)
    encoding = angles.sin()
    encoding[:, 1::2] = angles[:, 1::2].cos()
    return encoding


@mistake(blank="angles")
def counts_from_one(t, frequencies):
    angles = torch.arange(1, t + 1)[:, None] * frequencies


@mistake(blank="angles")
def turns_instead_of_radians(t, frequencies):
    angles = torch.arange(t)[:, None] * frequencies * 6.283185307179586


@mistake(blank="angles")
def share_of_the_length(t, frequencies):
    angles = torch.arange(t)[:, None] / t * frequencies


@mistake(blank="interleave")
def sines_before_cosines(d, angles):
    return torch.cat([angles.sin(), angles.cos()], dim=1)[:, :d]


@mistake("sinusoidal")
def as_in_tensor2tensor(t, d, base=10000.0):
    pair = torch.arange(d // 2)
    angles = torch.arange(t)[:, None] * base ** (-pair / max(len(pair) - 1, 1))
    encodings = torch.cat([angles.sin(), angles.cos()], dim=1)
    return torch.nn.functional.pad(encodings, (0, d % 2))


@mistake(blank="interleave")
def cosine_first(d, angles):
    return torch.stack([angles.cos(), angles.sin()], dim=-1).flatten(1)[:, :d]


@mistake(blank="interleave")
def only_sines(d, angles):
    return angles.sin().repeat_interleave(2, dim=1)[:, :d]


@mistake(blank="interleave")
def needs_an_even_width(t, d, angles):
    encoding = torch.zeros(t, d)
    encoding[:, 0::2] = angles.sin()
    encoding[:, 1::2] = angles.cos()
    return encoding


@mistake(blank="interleave")
def one_feature_too_many(angles):
    return torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(1)


@mistake(blank="interleave")
def position_last(d, angles):
    return torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(1)[:, :d].T


@mistake(blank="interleave")
def returns_float64(d, angles):
    return torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(1)[:, :d].double()


@mistake("sinusoidal")
def loops_over_the_positions(t, d, base=10000.0):
    frequencies = base ** (-2 * torch.arange((d + 1) // 2) / d)
    rows = []
    for position in range(t):
        angles = position * frequencies
        rows.append(torch.stack([angles.sin(), angles.cos()], dim=-1).flatten()[:d])
    return torch.stack(rows)
