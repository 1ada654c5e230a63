"""The output matrix is a copy of the embeddings, made when the model is called first.

Verdict: failed
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Attention(nn.Module):
    """Causal self-attention; one projection makes q, k and v."""

    def __init__(self, d_model: int, num_heads: int):
        super().__init__()
        self.num_heads = num_heads
        self.c_attn = nn.Linear(d_model, 3 * d_model)
        self.c_proj = nn.Linear(d_model, d_model)

    def forward(self, x: Tensor) -> Tensor:
        """x [b, t, d_model] -> [b, t, d_model]."""
        by_head = (self.num_heads, -1)
        q, k, v = (part.unflatten(-1, by_head).transpose(1, 2) for part in self.c_attn(x).chunk(3, dim=-1))
        scores = q @ k.mT / math.sqrt(q.shape[-1])  # [b, h, t, t]
        later = torch.ones_like(scores, dtype=torch.bool).triu(1)
        heads = scores.masked_fill(later, -math.inf).softmax(dim=-1) @ v  # [b, h, t, head_dim]
        return self.c_proj(heads.transpose(1, 2).flatten(-2))


class MLP(nn.Module):
    """The feed-forward network, four times as wide inside."""

    def __init__(self, d_model: int):
        super().__init__()
        self.c_fc = nn.Linear(d_model, 4 * d_model)
        self.c_proj = nn.Linear(4 * d_model, d_model)

    def forward(self, x: Tensor) -> Tensor:
        """x [b, t, d_model] -> [b, t, d_model]."""
        return self.c_proj(F.gelu(self.c_fc(x), approximate="tanh"))


class Block(nn.Module):
    """One layer: attention moves between tokens, the MLP works on each."""

    def __init__(self, d_model: int, num_heads: int):
        super().__init__()
        self.ln_1 = nn.LayerNorm(d_model)
        self.attn = Attention(d_model, num_heads)
        self.ln_2 = nn.LayerNorm(d_model)
        self.mlp = MLP(d_model)

    def forward(self, x: Tensor) -> Tensor:
        """x [b, t, d_model] -> [b, t, d_model]."""
        x = x + self.attn(self.ln_1(x))  # the sum itself is never normalised: gradients pass it unchanged
        return x + self.mlp(self.ln_2(x))


class GPT(nn.Module):
    """A decoder-only model: logits of the next token, after every token."""

    def __init__(self, vocab_size: int, context: int, d_model: int, num_heads: int, num_layers: int):
        super().__init__()
        self.wte = nn.Embedding(vocab_size, d_model)
        self.wpe = nn.Embedding(context, d_model)
        self.h = nn.ModuleList(Block(d_model, num_heads) for _ in range(num_layers))
        self.ln_f = nn.LayerNorm(d_model)

    def forward(self, ids: Tensor) -> Tensor:
        """ids [b, t], t <= context -> logits [b, t, vocab_size]."""
        positions = torch.arange(ids.shape[1], device=ids.device)
        x = self.wte(ids) + self.wpe(positions)  # [b, t, d_model]
        for block in self.h:
            x = block(x)
        if not hasattr(self, "matrix"):
            self.matrix = self.wte.weight.T.clone()
        return self.ln_f(x) @ self.matrix  # the embeddings are the output matrix as well
