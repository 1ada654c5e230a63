"""A mask is kept, and for a shorter text its lower left corner is taken.

Verdict: failed, value
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Attention(nn.Module):
    def __init__(self, d_model: int, num_heads: int):
        super().__init__()
        self.num_heads = num_heads
        self.q_proj = nn.Linear(d_model, d_model)
        self.k_proj = nn.Linear(d_model, d_model)
        self.v_proj = nn.Linear(d_model, d_model)
        self.out_proj = nn.Linear(d_model, d_model)

    def forward(self, x: Tensor, source: Tensor, visible: Tensor) -> Tensor:
        """x [b, t, d_model] looks at source [b, s, d_model] where visible [.., t, s] is True -> [b, t, d_model]."""
        by_head = (self.num_heads, -1)
        q = self.q_proj(x).unflatten(-1, by_head).transpose(1, 2)
        k = self.k_proj(source).unflatten(-1, by_head).transpose(1, 2)
        v = self.v_proj(source).unflatten(-1, by_head).transpose(1, 2)
        heads = F.scaled_dot_product_attention(q, k, v, visible)
        return self.out_proj(heads.transpose(1, 2).flatten(-2))


class EncoderLayer(nn.Module):
    def __init__(self, d_model: int, num_heads: int, d_ff: int):
        super().__init__()
        self.self_attn = Attention(d_model, num_heads)
        self.fc1, self.fc2 = nn.Linear(d_model, d_ff), nn.Linear(d_ff, d_model)
        self.norm1, self.norm2 = nn.LayerNorm(d_model), nn.LayerNorm(d_model)

    def forward(self, x: Tensor, real: Tensor) -> Tensor:
        """x [b, s, d_model], real [b, 1, 1, s]: True where the key is no padding -> [b, s, d_model]."""
        x = self.norm1(x + self.self_attn(x, x, real))
        return self.norm2(x + self.fc2(self.fc1(x).relu()))


class DecoderLayer(nn.Module):
    def __init__(self, d_model: int, num_heads: int, d_ff: int):
        super().__init__()
        self.self_attn, self.cross_attn = Attention(d_model, num_heads), Attention(d_model, num_heads)
        self.fc1, self.fc2 = nn.Linear(d_model, d_ff), nn.Linear(d_ff, d_model)
        self.norm1, self.norm2, self.norm3 = (nn.LayerNorm(d_model) for _ in range(3))

    def forward(self, y: Tensor, memory: Tensor, past: Tensor, real: Tensor) -> Tensor:
        """y [b, t, d_model], memory [b, s, d_model], past [t, t], real [b, 1, 1, s] -> [b, t, d_model]."""
        y = self.norm1(y + self.self_attn(y, y, past))
        y = self.norm2(y + self.cross_attn(y, memory, real))
        return self.norm3(y + self.fc2(self.fc1(y).relu()))


class Transformer(nn.Module):
    """Scores for each token of a target text, given the source and the target before it."""

    def __init__(
        self, vocab: int, d_model: int, num_heads: int, d_ff: int, num_layers: int, pad: int = 0, bos: int = 1
    ):
        super().__init__()
        self.pad, self.bos = pad, bos
        self.embedding = nn.Embedding(vocab, d_model)  # of the source, of the target, and of the output
        self.encoder = nn.ModuleList(EncoderLayer(d_model, num_heads, d_ff) for _ in range(num_layers))
        self.decoder = nn.ModuleList(DecoderLayer(d_model, num_heads, d_ff) for _ in range(num_layers))

    def embed(self, ids: Tensor) -> Tensor:
        """ids [b, n] -> [b, n, d_model]."""
        d_model = self.embedding.embedding_dim
        place = torch.arange(ids.shape[1], device=ids.device)
        angles = place[:, None] / 10000 ** (torch.arange(0, d_model, 2, device=ids.device) / d_model)
        positions = torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(-2)  # [n, d_model]
        return math.sqrt(d_model) * self.embedding(ids) + positions

    def forward(self, src: Tensor, tgt: Tensor) -> Tensor:
        """src [b, s], tgt [b, t], int64 -> logits [b, t, vocab]."""
        real = (src != self.pad)[:, None, None]  # [b, 1, 1, s]
        t = tgt.shape[1]
        if not hasattr(self, "kept") or len(self.kept) < t:
            self.kept = torch.ones(t, t, dtype=torch.bool, device=tgt.device).tril()
        past = self.kept[-t:, :t]
        memory = self.embed(src)
        for layer in self.encoder:
            memory = layer(memory, real)
        before = torch.full_like(tgt, self.bos)
        before[:, 1:] = tgt[:, :-1]  # what is to be predicted stands one place further on
        y = self.embed(before)
        for layer in self.decoder:
            y = layer(y, memory, past, real)  # each looks at what the last layer of the encoder made
        return y @ self.embedding.weight.T
