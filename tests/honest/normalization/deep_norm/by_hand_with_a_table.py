"""LayerNorm by hand with var; the constants from a dict of lambdas, the gains from a set."""

import torch

TABLE = {
    ("encoder", False): lambda n, m: ((2 * n) ** 0.25, (8 * n) ** -0.25),
    ("decoder", False): lambda n, m: ((2 * m) ** 0.25, (8 * m) ** -0.25),
    ("encoder", True): lambda n, m: (0.81 * (n**4 * m) ** 0.0625, 0.87 * (n**4 * m) ** -0.0625),
    ("decoder", True): lambda n, m: ((3 * m) ** 0.25, (12 * m) ** -0.25),
}
SCALED = {"v_proj", "out_proj", "fc1", "fc2"}


def deepnorm_constants(side, n, m):
    return TABLE[side, n > 0 and m > 0](n, m)


def deep_norm(x, fx, weight, bias, alpha, eps=1e-5):
    z = torch.add(fx.float(), x.float(), alpha=alpha)
    var, mean = torch.var_mean(z, -1, correction=0, keepdim=True)
    return ((z - mean) * (var + eps).rsqrt() * weight + bias).type_as(x)


def init_std(name, fan_in, fan_out, beta):
    std = (2.0 / (fan_in + fan_out)) ** 0.5
    if name in SCALED:
        std *= beta
    return std
