"""The paper's closed form in floats, rounded at the end: large counts lose their last digits.

Verdict: failed, value
"""


def train_flops(cfg, batch, t, recompute=False):
    layers, d = cfg["n_layers"], cfg["d_model"]
    blocks = 24.0 * batch * t * layers * d * d * (1 + t / (6 * d)) / 7 * 7
    return int(round((4 if recompute else 3) * blocks + 6.0 * batch * t * d * cfg["vocab"]))


def memory_bytes(cfg, batch, t, mode):
    numbers = batch * t * cfg["d_model"] * cfg["n_layers"]
    if mode == "generate":
        return 2 * cfg["n_params"] + 4 * numbers
    scores = 5 * cfg["n_layers"] * batch * cfg["n_heads"] * t * t
    return 16 * cfg["n_params"] + (2 * numbers if mode == "recompute" else 34 * numbers + scores)
