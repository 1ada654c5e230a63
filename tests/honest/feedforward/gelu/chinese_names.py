"""中文变量名，match 语句，x³ 由 torch.pow 得到，Φ 用 torch.special.ndtr。"""

import math

import torch


def gelu(x, approximate="none"):
    宽 = x.float()
    match approximate:
        case "tanh":
            自变量 = math.sqrt(2.0 / math.pi) * (宽 + torch.pow(宽, 3) * 0.044715)
            结果 = 宽 / 2 * (自变量.tanh() + 1)
        case _:
            结果 = 宽 * torch.special.ndtr(宽)
    return 结果.to(dtype=x.dtype)
