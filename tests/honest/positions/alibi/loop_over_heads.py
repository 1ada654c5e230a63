"""逐头循环：斜率逐个写入，偏置用 einsum 相乘，再以布尔下标写入 -inf。"""

import torch


def alibi_slopes(h):
    n = 1
    while n * 2 <= h:
        n *= 2
    斜率 = torch.empty(h)
    for 头 in range(h):
        if 头 < n:
            斜率[头] = 0.5 ** (8 * (头 + 1) / n)
        else:
            斜率[头] = 0.5 ** (4 * (2 * (头 - n) + 1) / n)
    return 斜率


def alibi_bias(h, t_q, t_k):
    距离 = torch.arange(t_q).unsqueeze(1) + (t_k - t_q) - torch.arange(t_k).unsqueeze(0)
    偏置 = torch.einsum("h,qk->hqk", alibi_slopes(h), -距离.float())
    偏置[:, 距离 < 0] = float("-inf")
    return 偏置
