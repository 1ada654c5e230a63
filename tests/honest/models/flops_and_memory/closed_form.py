"""The paper's closed form: 72 b t L d² (1 + t/6d) + 6 b t d V, kept as whole numbers; a match over the modes."""


def train_flops(cfg, batch, t, recompute=False):
    layers, d, vocab = cfg["n_layers"], cfg["d_model"], cfg["vocab"]
    blocks = 24 * batch * t * layers * d * d + 4 * batch * t * t * layers * d
    head = 2 * batch * t * d * vocab
    return blocks * (4 if recompute else 3) + head * 3


def memory_bytes(cfg, batch, t, mode):
    n, layers, d, heads, _ = (cfg[key] for key in ("n_params", "n_layers", "d_model", "n_heads", "vocab"))
    match mode:
        case "generate":
            return 2 * n + 4 * layers * batch * t * d
        case "recompute":
            return 16 * n + 2 * layers * batch * t * d
        case "train":
            return 16 * n + layers * batch * t * (34 * d + 5 * heads * t)
