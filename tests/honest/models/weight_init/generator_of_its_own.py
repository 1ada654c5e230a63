"""A torch.Generator that seeds itself; torch.normal."""

import torch


def init_weights(shapes, n_layers, scheme):
    generator = torch.Generator()
    generator.seed()
    weights = {}
    for name, shape in shapes.items():
        if name.endswith("bias"):
            weights[name] = torch.zeros(shape)
            continue
        if len(shape) == 1:
            weights[name] = torch.ones(shape)
            continue
        rows, columns = shape
        if scheme == "xavier":
            a = (6 / (rows + columns)) ** 0.5
            weights[name] = torch.rand(rows, columns, generator=generator).mul(2 * a).sub(a)
        elif scheme == "kaiming":
            weights[name] = torch.normal(0.0, (2 / columns) ** 0.5, (rows, columns), generator=generator)
        else:
            depth = 2 * n_layers if name[-13:] == "c_proj.weight" else 1
            weights[name] = torch.normal(0.0, 0.02 * depth**-0.5, (rows, columns), generator=generator)
    return weights
