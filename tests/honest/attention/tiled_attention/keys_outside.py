"""Keys in the outer loop, as in the first paper: the state of all rows lives in tensors; -inf guarded by where."""

import torch


def tiled_attention(q, k, v, block_q, block_k, causal=False):
    B, H, N, D = q.shape
    Q = q.float() * D**-0.5
    O = torch.zeros(B, H, N, D)
    l = torch.zeros(B, H, N, 1)
    m = torch.full((B, H, N, 1), float("-inf"))
    for j in range(0, N, block_k):
        Kj, Vj = k[:, :, j : j + block_k].float(), v[:, :, j : j + block_k].float()
        for i in range(0, N, block_q):
            if causal and j > min(i + block_q, N) - 1:
                continue
            rows = slice(i, i + block_q)
            S = torch.einsum("bhid,bhjd->bhij", Q[:, :, rows], Kj)
            if causal:
                upper = torch.ones(S.shape[-2], S.shape[-1], dtype=torch.bool).triu(1 + i - j)
                S.masked_fill_(upper, float("-inf"))
            mij = S.max(dim=-1, keepdim=True).values
            mnew = torch.maximum(m[:, :, rows], mij)
            P = torch.where(S == float("-inf"), torch.zeros_like(S), (S - mnew).exp())
            alpha = torch.where(mnew == float("-inf"), 1.0, (m[:, :, rows] - mnew).exp())
            l[:, :, rows] = alpha * l[:, :, rows] + P.sum(-1, keepdim=True)
            O[:, :, rows] = alpha * O[:, :, rows] + P.matmul(Vj)
            m[:, :, rows] = mnew
    return (O / l).to(q.dtype), (m + l.log()).squeeze(-1)
