"""中文变量名，match 语句；方差以平方均值计算，先减去均值。"""

import torch


def deepnorm_constants(side, n, m):
    match (side, bool(n and m)):
        case (_, False):
            层数 = max(n, m)
            return (2 * 层数) ** (1 / 4), 1 / (8 * 层数) ** (1 / 4)
        case ("encoder", True):
            深度 = n ** (1 / 4) * m ** (1 / 16)
            return 0.81 * 深度, 0.87 / 深度
        case _:
            return (3 * m) ** 0.25, 1 / (12 * m) ** 0.25


def deep_norm(x, fx, weight, bias, alpha, eps=1e-5):
    和 = fx.float() + alpha * x.float()
    中心 = 和 - 和.mean(dim=-1, keepdim=True)
    归一 = 中心 / torch.sqrt((中心**2).mean(dim=-1, keepdim=True) + eps)
    return (归一 * weight.float() + bias.float()).to(x.dtype)


def init_std(name, fan_in, fan_out, beta):
    平均 = (fan_in + fan_out) / 2
    标准差 = 平均**-0.5
    return 标准差 if name.startswith(("q_", "k_")) else beta * 标准差
