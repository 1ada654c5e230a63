"""中文变量名；门由 logsigmoid 的指数得到；1 - σ 写成 σ(-z)。"""

import torch
import torch.nn.functional as F


def 门(z):
    return F.logsigmoid(z).exp()


def swish(x, beta=1.0):
    宽 = x.float()
    return torch.mul(宽, 门(宽 * beta)).to(x.dtype)


def swish_grad(x, beta=1.0):
    宽 = x.float()
    z = 宽 * beta
    导数 = 门(z) * (1 + z * torch.sigmoid(-z))
    return 导数.to(x.dtype)
