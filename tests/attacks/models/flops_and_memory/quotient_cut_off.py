"""The paper's closed form for activations, s b h (34 + 5 a s / h), in floats that int() cuts off.

Verdict: failed, value
"""


def train_flops(cfg, batch, t, recompute=False):
    d, tokens = cfg["d_model"], batch * t
    blocks = cfg["n_layers"] * (24 * tokens * d * d + 4 * tokens * t * d)
    return (4 if recompute else 3) * blocks + 6 * tokens * d * cfg["vocab"]


def memory_bytes(cfg, batch, t, mode):
    numbers = batch * t * cfg["d_model"]
    if mode == "generate":
        return 2 * cfg["n_params"] + 4 * cfg["n_layers"] * numbers
    kept = 2 * numbers if mode == "recompute" else int(numbers * (34 + 5 * (cfg["n_heads"] * t / cfg["d_model"])))
    return 16 * cfg["n_params"] + cfg["n_layers"] * kept
