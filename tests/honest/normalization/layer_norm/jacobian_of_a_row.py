"""逐行写出雅可比矩阵再相乘；前向用 numpy 风格的名字。"""

import torch


def 标准化(x, eps):
    宽 = x.float()
    中心 = 宽 - 宽.sum(-1, keepdim=True) / 宽.shape[-1]
    方差 = torch.einsum("...d,...d->...", 中心, 中心).unsqueeze(-1) / 宽.shape[-1]
    return 中心, (方差 + eps).sqrt()


def layer_norm(x, weight, bias, eps=1e-5):
    中心, 标准差 = 标准化(x, eps)
    return (中心 / 标准差 * weight.float() + bias.float()).to(x.dtype)


def layer_norm_backward(dy, x, weight, eps=1e-5):
    d = x.shape[-1]
    中心, 标准差 = 标准化(x.reshape(-1, d), eps)
    x帽 = 中心 / 标准差
    g = dy.reshape(-1, d).float()
    权 = weight.float()
    行 = []
    for i in range(len(g)):
        雅可比 = (torch.eye(d) - 1 / d - torch.outer(x帽[i], x帽[i]) / d) / 标准差[i]
        行.append(雅可比 @ (g[i] * 权))
    dx = torch.stack(行).reshape(x.shape)
    return dx.to(x.dtype), (g * x帽).sum(0).to(x.dtype), g.sum(0).to(x.dtype)
