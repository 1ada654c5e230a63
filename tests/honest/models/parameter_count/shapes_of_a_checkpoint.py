"""A dict of all shapes of one block, as in a checkpoint, multiplied out with math.prod."""

from math import prod


def block_shapes(c):
    q, kv = c["n_heads"] * c["d_head"], c["n_kv_heads"] * c["d_head"]
    maps = {"q": (q, c["d_model"]), "k": (kv, c["d_model"]), "v": (kv, c["d_model"]), "o": (c["d_model"], q)}
    maps |= {"up": (c["d_ff"], c["d_model"]), "down": (c["d_model"], c["d_ff"])}
    if c["gated"]:
        maps["gate"] = maps["up"]
    shapes = list(maps.values())
    if c["bias"]:
        shapes += [(out,) for out, _ in maps.values()]
    return shapes + 2 * norm_shapes(c)


def norm_shapes(c):
    return [(c["d_model"],)] * {"layer": 2, "rms": 1}[c["norm"]]


def count_params(cfg):
    outside = [(cfg["vocab"], cfg["d_model"])] * (1 if cfg["tied"] else 2)
    outside += [(cfg["n_ctx"], cfg["d_model"])] + norm_shapes(cfg)
    return sum(prod(s) for s in outside + block_shapes(cfg) * cfg["n_layers"])
