"""每个 token 的开销乘以 token 数；标识符为中文。"""


def 每个(cfg, t):
    宽 = cfg["d_model"]
    return 2 * 宽 * (12 * 宽 + 2 * t), 2 * 宽 * cfg["vocab"]


def train_flops(cfg, batch, t, recompute=False):
    块, 输出 = 每个(cfg, t)
    每个token = 3 * (cfg["n_layers"] * 块 + 输出)
    if recompute:
        每个token += cfg["n_layers"] * 块
    return batch * t * 每个token


def memory_bytes(cfg, batch, t, mode):
    输入 = batch * t * cfg["d_model"]
    表 = {
        "generate": (2, 4 * 输入),
        "recompute": (16, 2 * 输入),
        "train": (16, 34 * 输入 + 5 * cfg["n_heads"] * batch * t**2),
    }
    每参数, 每块 = 表[mode]
    return 每参数 * cfg["n_params"] + 每块 * cfg["n_layers"]
