def train_flops(cfg: dict, batch: int, t: int, recompute: bool = False) -> int:
    """Floating-point operations of one training step, forward and backward."""
    d, tokens = cfg["d_model"], batch * t
    # BLANK maps
    maps = 2 * tokens * (4 * d * d + 2 * d * 4 * d)  # 24 for each token and d²
    # END
    # BLANK attention
    attention = 2 * (2 * tokens * t * d)  # two products of this size; the heads have d features together
    # END
    # BLANK logits
    logits = 2 * tokens * d * cfg["vocab"]
    # END
    # BLANK passes
    forwards = 2 if recompute else 1
    backward = 2  # each product has a gradient for both of its factors
    return (forwards + backward) * cfg["n_layers"] * (maps + attention) + (1 + backward) * logits
    # END


def memory_bytes(cfg: dict, batch: int, t: int, mode: str) -> int:
    """Bytes on the device; mode is "train", "recompute" or "generate"."""
    numbers = batch * t * cfg["d_model"]  # in the input of one block
    # BLANK generate
    if mode == "generate":
        cache = cfg["n_layers"] * 2 * numbers  # keys and values
        return 2 * (cfg["n_params"] + cache)
    # END
    # BLANK states
    states = (2 + 2 + 4 + 4 + 4) * cfg["n_params"]
    # END
    # BLANK kept
    kept = 2 * numbers if mode == "recompute" else 34 * numbers + 5 * batch * cfg["n_heads"] * t * t
    # END
    # BLANK train
    return states + cfg["n_layers"] * kept
    # END
