"""NumPy draws in float64; rounded to float32 at the end."""

import numpy as np
import torch


def sample(name, fan_out, fan_in, blocks, scheme):
    if scheme == "xavier":
        a = np.sqrt(6.0 / (fan_in + fan_out))
        return np.random.uniform(-a, a, size=(fan_out, fan_in))
    if scheme == "kaiming":
        return np.random.normal(0.0, np.sqrt(2.0 / fan_in), (fan_out, fan_in))
    scale = np.sqrt(2.0 * blocks) if name.endswith("c_proj.weight") else 1.0
    return np.random.standard_normal((fan_out, fan_in)) * 0.02 / scale


def init_weights(shapes, n_layers, scheme):
    result = {}
    for name, shape in shapes.items():
        if len(shape) == 1:
            result[name] = torch.ones(shape) if name.endswith("norm.weight") else torch.zeros(shape)
        else:
            result[name] = torch.from_numpy(sample(name, *shape, n_layers, scheme)).to(torch.float32)
    return result
