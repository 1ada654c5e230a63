"""A function for each method in a table; Python floats and math for what is one number, tensors for the rest."""

import math

import torch


def rotary(d, base):
    return 1.0 / (base ** (torch.arange(0, d, 2, dtype=torch.int64).float() / d))


def linear(d, base, factor, orig_len):
    inv_freq = rotary(d, base)
    inv_freq /= factor
    return inv_freq, 1.0


def ntk(d, base, factor, orig_len):
    return rotary(d, base * factor ** (d / (d - 2))), 1.0


def yarn(d, base, factor, orig_len, beta_fast=32, beta_slow=1):
    extrapolation = rotary(d, base)
    interpolation = extrapolation / factor
    wavelengths = 2 * math.pi / extrapolation
    ramp = torch.clamp((orig_len / wavelengths - beta_slow) / (beta_fast - beta_slow), 0, 1)
    scale = 1.0 if factor <= 1 else 0.1 * math.log(factor) + 1.0
    return interpolation * (1 - ramp) + extrapolation * ramp, scale


METHODS = {"linear": linear, "ntk": ntk, "yarn": yarn}


def scaled_inv_freq(d, base, factor, method, orig_len):
    return METHODS[method](d, base, factor, orig_len)
