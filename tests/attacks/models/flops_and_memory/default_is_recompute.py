"""Right, but it recomputes unless it is told not to.

Verdict: failed, value
"""


def train_flops(cfg, batch, t, recompute=True):
    d, tokens = cfg["d_model"], batch * t
    blocks = cfg["n_layers"] * (24 * tokens * d * d + 4 * tokens * t * d)
    return (4 if recompute else 3) * blocks + 6 * tokens * d * cfg["vocab"]


def memory_bytes(cfg, batch, t, mode):
    numbers = batch * t * cfg["d_model"] * cfg["n_layers"]
    if mode == "generate":
        return 2 * cfg["n_params"] + 4 * numbers
    scores = 5 * cfg["n_layers"] * batch * cfg["n_heads"] * t * t
    return 16 * cfg["n_params"] + (2 * numbers if mode == "recompute" else 34 * numbers + scores)
