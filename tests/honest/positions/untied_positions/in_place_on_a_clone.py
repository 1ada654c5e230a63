"""Row and column are written into the places' part; arithmetic in float32."""

import torch


def tupe_logits(xq, xk, pq, pk, rel_bias, theta):
    t, d = xq.size(-2), xq.size(-1)
    a = torch.matmul(pq.float(), pk.float().transpose(1, 2)) / (2 * d) ** 0.5
    i, j = torch.meshgrid(torch.arange(t), torch.arange(t), indexing="ij")
    a = a + rel_bias.float().gather(1, (j - i + rel_bias.size(1) // 2).flatten().expand(a.size(0), -1)).view_as(a)
    a[:, :, 0] = theta.float()[:, 1:]
    a[:, 0, :] = theta.float()[:, :1]
    words = torch.matmul(xq.float(), xk.float().transpose(2, 3)) / (2 * d) ** 0.5
    return (words + a).to(xq.dtype)
