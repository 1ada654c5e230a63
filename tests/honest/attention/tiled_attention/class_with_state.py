"""A class for the running state, heads and sequences flattened into one axis, products in the dtype of the inputs."""

import torch


class Running:
    def __init__(self, rows):
        self.peak = torch.full((*rows.shape[:2], 1), -torch.inf)
        self.sums = torch.zeros(*rows.shape[:2], rows.shape[2] + 1)

    def add(self, scores, values):
        peak = torch.max(self.peak, scores.max(-1, keepdim=True)[0])
        with_ones = torch.cat([values.float(), torch.ones(*values.shape[:2], 1)], -1)
        self.sums = self.sums.mul(torch.exp(self.peak - peak)).baddbmm(torch.exp(scores - peak), with_ones)
        self.peak = peak

    def result(self):
        total = self.sums[..., -1:]
        return self.sums[..., :-1] / total, (self.peak + total.log())[..., 0]


def tiled_attention(q, k, v, block_q, block_k, causal=False):
    flat_q, flat_k, flat_v = (x.flatten(0, 1) for x in (q, k, v))
    n, t, d = flat_q.shape
    outs, lses = [], []
    i = 0
    while i < t:
        rows = flat_q[:, i : i + block_q]
        running = Running(rows)
        j = 0
        while j < t and not (causal and j >= i + rows.shape[1]):
            scores = torch.bmm(rows, flat_k[:, j : j + block_k].transpose(1, 2)).float() * d**-0.5
            if causal:
                for r in range(rows.shape[1]):
                    scores[:, r, max(0, i + r + 1 - j) :] = -torch.inf
            running.add(scores, flat_v[:, j : j + block_k])
            j += block_k
        out, lse = running.result()
        outs.append(out.to(q.dtype))
        lses.append(lse)
        i += block_q
    return torch.cat(outs, 1).view_as(q.contiguous()), torch.cat(lses, 1).view(q.shape[:3])
