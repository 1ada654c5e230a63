"""A list of all products as (how many, m, k, n), and of all that is stored as (numbers, bytes)."""


def products(cfg, batch, t):
    d, h = cfg["d_model"], cfg["n_heads"]
    e = d // h
    once = [(4, batch * t, d, d), (1, batch * t, d, 4 * d), (1, batch * t, 4 * d, d)]
    once += [(batch * h, t, e, t), (batch * h, t, t, e)]
    return once


def cost(items):
    return sum(times * 2 * m * k * n for times, m, k, n in items)


def train_flops(cfg, batch, t, recompute=False):
    body = sum(cost(products(cfg, batch, t)) for _ in range(cfg["n_layers"]))
    top = cost([(1, batch * t, cfg["d_model"], cfg["vocab"])])
    total = 0
    total += body + top  # forward
    total += body if recompute else 0
    total += 2 * (body + top)  # backward
    return total


def memory_bytes(cfg, batch, t, mode):
    width, layers = cfg["d_model"], cfg["n_layers"]
    stored = [(cfg["n_params"], 2)]
    if mode == "generate":
        stored += [(batch * t * width, 2)] * 2 * layers
    else:
        stored += [(cfg["n_params"], 2), *[(cfg["n_params"], 4)] * 3]
        per_block = [(batch * t * width, 2)]
        if mode == "train":
            per_block = [(batch * t * width, 34), (batch * cfg["n_heads"] * t * t, 5)]
        stored += per_block * layers
    return sum(count * size for count, size in stored)
