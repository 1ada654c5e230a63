import math
import random

import pytest
import torch

from clozekit.grading import mistake, reference

# features, base, factor, tokens in training
CASES = {
    "Llama 2": (128, 10000.0, 4.0, 4096),
    "few features": (8, 10000.0, 2.0, 512),
    "two pairs": (4, 10000.0, 8.0, 2048),
    "an odd number of pairs": (10, 10000.0, 4.0, 2048),
    "large base": (64, 500_000.0, 8.0, 8192),
    "no whole factor": (32, 10000.0, 1.5, 1024),
    "hardly a turn in training": (16, 10000.0, 4.0, 5),
    "many turns in training": (6, 10.0, 16.0, 2000),
}


def ask(check, method, d, base, factor, orig_len):
    check("scaled_inv_freq", d, base, factor, method, orig_len, dtype=torch.float32)


@pytest.mark.parametrize("case", CASES)
def test_linear(check, case):
    ask(check, "linear", *CASES[case])


@pytest.mark.parametrize("case", CASES)
def test_ntk(check, case):
    ask(check, "ntk", *CASES[case])


@pytest.mark.parametrize("case", CASES)
def test_yarn(check, case):
    ask(check, "yarn", *CASES[case])


@pytest.mark.hidden
def test_sizes_drawn_anew(check):
    """One call after the other with one of its numbers changed, so that what is kept is wrong for the next."""
    d, base = 2 * random.randint(65, 100), 10 ** random.uniform(3.5, 5.5)
    factor, orig_len = random.uniform(2, 40), random.randint(1000, 9000)
    calls = [
        (d, base, factor, orig_len),
        (d + 2, base, factor, orig_len),
        (d, 2 * base, factor, orig_len),
        (d, base, 1.5 * factor, orig_len),
        (d, base, factor, 2 * orig_len),
    ]
    for call in calls:
        for method in "linear", "ntk", "yarn":
            ask(check, method, *call)
    ask(check, "yarn", *calls[0][:2], 1.0, orig_len)


@reference("scaled_inv_freq")
def definition(d, base, factor, method, orig_len):
    """By wavelengths, 2π / θ, one pair after the other."""
    s, frequencies = torch.tensor(factor), []
    for i in range(d // 2):
        wavelength = 2 * math.pi * torch.tensor(base) ** torch.tensor(2 * i / d)
        if method == "linear":
            wavelength = s * wavelength
        elif method == "ntk":
            wavelength = wavelength * s ** torch.tensor(2 * i / (d - 2))
        else:
            gamma = torch.clamp((orig_len / wavelength - 1) / 31, 0, 1)
            wavelength = wavelength / ((1 - gamma) / s + gamma)
        frequencies.append(2 * math.pi / wavelength)
    scale = (0.1 * torch.log(s) + 1).item() if method == "yarn" else 1.0
    return torch.stack(frequencies), scale


@mistake(blank="linear")
def multiplies_by_the_factor(theta, factor):
    return theta * factor, 1.0


@mistake(blank="linear")
def linear_leaves_the_angles(theta):
    return theta, 1.0


@mistake(blank="linear")
def scales_attention_always(theta, factor):
    return theta / factor, 0.1 * math.log(factor) + 1


@mistake(blank="ntk")
def base_times_factor(base, factor, exponents):
    return (base * factor) ** exponents, 1.0


@mistake(blank="ntk")
def base_times_power_turned_over(d, base, factor, exponents):
    return (base * factor ** ((d - 2) / d)) ** exponents, 1.0


@mistake(blank="ntk")
def power_of_the_base_as_well(d, base, factor, exponents):
    return (base * factor) ** (exponents * d / (d - 2)), 1.0


@mistake(blank="ntk")
def pairs_for_features(d, base, factor, exponents):
    half = d // 2
    return (base * factor ** (half / (half - 2))) ** exponents, 1.0


@mistake(blank="ntk")
def interpolates_as_well(d, base, factor, exponents):
    return (base * factor ** (d / (d - 2))) ** exponents / factor, 1.0


@mistake(blank="turns")
def radians_for_turns(orig_len, theta):
    turns = orig_len * theta


@mistake(blank="turns")
def turns_in_the_longer_text(orig_len, factor, theta):
    turns = orig_len * factor * theta / (2 * math.pi)


@mistake(blank="turns")
def wavelength_over_length(orig_len, theta):
    turns = 2 * math.pi / theta / orig_len


@mistake(blank="ramp")
def ramp_not_clamped(turns):
    keep = (turns - 1) / (32 - 1)


@mistake(blank="ramp")
def no_ramp(turns):
    keep = (turns > 32).float()


@mistake(blank="ramp")
def ramp_from_zero(turns):
    keep = (turns / 32).clamp(0, 1)


@mistake(blank="ramp")
def ramp_over_the_pairs(d, base, orig_len, theta):
    def pair(rotations):
        return d * math.log(orig_len / (rotations * 2 * math.pi)) / (2 * math.log(base))

    low, high = max(math.floor(pair(32)), 0), min(math.ceil(pair(1)), d - 1)
    keep = 1 - ((torch.arange(d // 2) - low) / max(high - low, 0.001)).clamp(0, 1)


@mistake(blank="blend")
def keeps_the_slow_pairs(keep, theta, factor):
    return keep * theta / factor + (1 - keep) * theta, 0.1 * math.log(factor) + 1


@mistake(blank="blend")
def blends_wavelengths(keep, theta, factor):
    return theta / ((1 - keep) * factor + keep), 0.1 * math.log(factor) + 1


@mistake(blank="blend")
def forgets_the_attention_scale(keep, theta, factor):
    return (1 - keep) * theta / factor + keep * theta, 1.0


@mistake(blank="blend")
def scale_of_the_scores(keep, theta, factor):
    return (1 - keep) * theta / factor + keep * theta, (0.1 * math.log(factor) + 1) ** 2


@mistake(blank="blend")
def temperature_itself(keep, theta, factor):
    return (1 - keep) * theta / factor + keep * theta, (0.1 * math.log(factor) + 1) ** -2


@mistake(blank="blend")
def another_logarithm(keep, theta, factor):
    return (1 - keep) * theta / factor + keep * theta, 0.1 * math.log10(factor) + 1
