"""逐对用 Python 浮点数计算，最后才变为张量。"""

import math

import torch


def 一对(i, d, base, s, method, length):
    角 = base ** (-2 * i / d)
    match method:
        case "linear":
            return 角 / s
        case "ntk":
            return 角 * s ** (-2 * i / (d - 2))
    圈数 = length * 角 / math.tau
    γ = min(max((圈数 - 1) / 31, 0.0), 1.0)
    return 角 / s + γ * (角 - 角 / s)


def scaled_inv_freq(d, base, factor, method, orig_len):
    频率 = [一对(i, d, base, factor, method, orig_len) for i in range(d // 2)]
    缩放 = 1 + 0.1 * math.log(factor) if method == "yarn" else 1.0
    return torch.tensor(频率), 缩放
