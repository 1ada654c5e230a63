"""The rule of thumb, six operations for each parameter and token.

Verdict: failed, value
"""


def train_flops(cfg, batch, t, recompute=False):
    return (8 if recompute else 6) * cfg["n_params"] * batch * t


def memory_bytes(cfg, batch, t, mode):
    numbers = batch * t * cfg["d_model"] * cfg["n_layers"]
    if mode == "generate":
        return 2 * cfg["n_params"] + 4 * numbers
    scores = 5 * cfg["n_layers"] * batch * cfg["n_heads"] * t * t
    return 16 * cfg["n_params"] + (2 * numbers if mode == "recompute" else 34 * numbers + scores)
