"""A for loop over the heads, each a slice of the features; torch.cat at the end."""
import torch
import torch.nn as nn

class MultiHeadAttention(nn.Module):
    def __init__(self, d_model, num_heads, bias = True):
        super(MultiHeadAttention, self).__init__()
        self.d_model = d_model
        self.num_heads = num_heads
        self.head_dim = int(d_model / num_heads)
        self.q_proj = nn.Linear(in_features=d_model, out_features=d_model, bias=bias)
        self.k_proj = nn.Linear(in_features=d_model, out_features=d_model, bias=bias)
        self.v_proj = nn.Linear(in_features=d_model, out_features=d_model, bias=bias)
        self.out_proj = nn.Linear(in_features=d_model, out_features=d_model, bias=bias)
        self.softmax = nn.Softmax(dim=-1)

    def forward(self, x, mask = None):
        b, t, _ = x.shape
        Q = self.q_proj(x); K = self.k_proj(x); V = self.v_proj(x)
        if mask is not None:
            mask = mask.expand(b, self.num_heads, t, t)

        outputs = []
        for i in range(self.num_heads):
            start = i * self.head_dim
            end = start + self.head_dim
            q_i, k_i, v_i = Q[:, :, start:end], K[:, :, start:end], V[:, :, start:end]
            score = torch.bmm(q_i, k_i.transpose(1, 2))
            score = score / (self.head_dim ** 0.5)
            if mask is not None:
                score = score.masked_fill(~mask[:, i], -1e30 if score.dtype != torch.float16 else -65504.0)
            weight = self.softmax(score)
            outputs.append(torch.bmm(weight, v_i))
        return self.out_proj(torch.cat(outputs, dim=2))
