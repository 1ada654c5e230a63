"""The Transformer

The whole model as it is trained: logits[:, i] scores every token of the vocabulary as the i-th
of the target, given the source and the target before i. So the decoder reads the target one place
later, behind bos, and without its last token:

    before = [bos, tgt_0, tgt_1, …, tgt_(t-2)]

Both texts share one embedding E [vocab, d_model], which is the output matrix too. The vector of
the token a at position p = 0, 1, …, with j = 0, 1, … (d_model is even):

    x_p       = √d_model · E[a] + P_p
    P_p[2j]   = sin(p / 10000^(2j / d_model))
    P_p[2j+1] = cos(p / 10000^(2j / d_model))

num_layers encoder layers make memory of the source; num_layers decoder layers, all of which look
at the memory that the last encoder layer made, make y of before. The result is y Eᵀ. With
f(x) = fc2(relu(fc1(x))), and multi-head attention of a to b (q from a, k and v from b, heads of
d_model / num_heads features side by side, scaled by 1/√head_dim) a layer is:

    encoder   x = norm1(x + self_attn(x to x))              x = norm2(x + f(x))
    decoder   y = norm1(y + self_attn(y to y))    y = norm2(y + cross_attn(y to memory))
              y = norm3(y + f(y))

Source tokens equal to pad are no keys, neither in the encoder nor in the decoder. In the decoder's
self-attention a token sees itself and those before it. No dropout, no norm behind the stacks.

parameters  embedding (nn.Embedding), encoder and decoder (nn.ModuleList of layers); in a layer
            self_attn, cross_attn, each with q_proj, k_proj, v_proj, out_proj, then fc1, fc2
            (nn.Linear with bias), norm1, norm2, norm3 (nn.LayerNorm, eps 1e-5); all float32
src, tgt    int64 [b, s] and [b, t], must not be changed; pad may stand anywhere in a source that
            has other tokens, and in a target is a token like any other
result      logits, float32 [b, t, vocab], no softmax; gradients flow to the parameters

scaled_dot_product_attention and nn.LayerNorm are allowed, nn.MultiheadAttention and its like not.

Source: Vaswani et al. 2017, Attention Is All You Need, arXiv:1706.03762, fig. 1, §3.1, §3.4 and §3.5
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
        # TODO (3 lines): `self.embedding`, `self.encoder` and `self.decoder`
        raise NotImplementedError("layers")

    def embed(self, ids: Tensor) -> Tensor:
        """ids [b, n] -> [b, n, d_model]."""
        d_model = self.embedding.embedding_dim
        place = torch.arange(ids.shape[1], device=ids.device)
        # TODO (2 lines): `positions` [n, d_model]: sine and cosine in turn
        raise NotImplementedError("positions")
        # TODO (1 line): return the vectors of the tokens at their places, [b, n, d_model]
        raise NotImplementedError("embed")

    def forward(self, src: Tensor, tgt: Tensor) -> Tensor:
        """src [b, s], tgt [b, t], int64 -> logits [b, t, vocab]."""
        # TODO (2 lines): `real` [b, 1, 1, s] and `past` [t, t], both boolean: True where a key may be seen
        raise NotImplementedError("masks")
        # TODO (3 lines): `memory` [b, s, d_model]: the source through all encoder layers
        raise NotImplementedError("encode")
        # TODO (2 lines): `before` [b, t]: what the decoder reads
        raise NotImplementedError("shift")
        # TODO (3 lines): `y` [b, t, d_model]: `before` through all decoder layers
        raise NotImplementedError("decode")
        # TODO (1 line): return the logits, [b, t, vocab]
        raise NotImplementedError("logits")
