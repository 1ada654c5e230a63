"""Everything in logarithms of θ where that is natural; lerp for the blend, where for the three ranges, numpy for π."""

import numpy as np
import torch


def scaled_inv_freq(d, base, factor, method, orig_len):
    log_theta = torch.linspace(0, -(d - 2) / d, d // 2) * float(np.log(base))
    if method == "ntk":
        last = torch.linspace(0, 1, d // 2)
        return torch.exp(log_theta - last * float(np.log(factor))), 1.0
    theta = log_theta.exp()
    if method == "linear":
        return theta.div(factor), 1.0
    turns = theta.mul(orig_len).div(2 * np.pi)
    gamma = torch.where(turns < 1, torch.zeros(()), torch.where(turns > 32, torch.ones(()), (turns - 1) / 31))
    return torch.lerp(theta / factor, theta, gamma), float(0.1 * np.log(factor) + 1)
