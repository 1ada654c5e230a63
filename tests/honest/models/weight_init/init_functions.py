"""torch.nn.init fills empty tensors in place; a table of the standard deviations."""

from torch import empty, nn


def init_weights(shapes, n_layers, scheme):
    out = {}
    for key, size in shapes.items():
        t = empty(*size)
        last = key.rsplit(".", 1)[-1]
        if last == "bias":
            nn.init.zeros_(t)
        elif key.endswith("norm.weight"):
            nn.init.ones_(t)
        elif scheme == "xavier":
            a = (6.0 / sum(size)) ** 0.5
            nn.init.uniform_(t, -a, a)
        else:
            residual = key.endswith("c_proj.weight")
            std = {"kaiming": (2.0 / size[1]) ** 0.5, "gpt2": 0.02 * (2 * n_layers) ** (-0.5 * residual)}[scheme]
            nn.init.normal_(t, mean=0.0, std=std)
        out[key] = t
    return out
