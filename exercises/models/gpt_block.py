"""GPT-2, a decoder-only model

The whole of GPT-2: embeddings, num_layers blocks, and logits for the next token after every
token. It is decoder-only, with no encoder and no cross-attention, and pre-LN: what a block adds
comes from a normalised copy, the sum itself is never normalised.

    x      = wte[ids] + wpe[0 … t - 1]     [b, t, d_model]
    x      = x + attn(ln_1(x))             in each block
    x      = x + mlp(ln_2(x))
    logits = ln_f(x) wteᵀ                  [b, t, vocab_size]

    mlp(x)  = c_proj(gelu(c_fc(x)))
    gelu(u) = u/2 · (1 + tanh(√(2/π) · (u + 0.044715 u³)))

attn: c_attn(x) is q, k and v side by side, in this order, each [b, t, d_model]; head i owns the
features i·head_dim … (i+1)·head_dim − 1 of each, head_dim = d_model / num_heads. A token
attends to itself and all before it, and attn(x) is c_proj of the heads side by side:

    head_i = softmax(q_i k_iᵀ / √head_dim) v_i

Scores may be in the hundred thousands. The parameters have the names of GPT-2's checkpoints:

wte, wpe     nn.Embedding(vocab_size, d_model) and (context, d_model)
h.0, h.1, …  the blocks: in each ln_1, ln_2, attn.c_attn (d_model to 3·d_model),
             attn.c_proj, mlp.c_fc (d_model to 4·d_model), mlp.c_proj
ln_f         like ln_1 and ln_2 an nn.LayerNorm(d_model), eps 1e-5; all others are nn.Linear
ids          [b, t], int64, 1 ≤ t ≤ context; need not be contiguous, must not be changed
result       [b, t, vocab_size], the dtype of the parameters: float32, float16 or bfloat16;
             gradients flow to the parameters

There is no dropout. scaled_dot_product_attention is allowed, torch's ready-made layers for
attention and transformers are not.

Source: Radford et al. 2019 (GPT-2), §2.3, and openai/gpt-2, src/model.py; Brown et al. 2020, arXiv:2005.14165, §2.1
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
        # TODO (2 lines): `q`, `k` and `v` of x by c_attn, each [b, num_heads, t, head_dim]
        raise NotImplementedError("split")
        # TODO (3 lines): causal scaled dot-product attention; call it `heads`, [b, num_heads, t, head_dim]
        raise NotImplementedError("attend")
        return self.c_proj(heads.transpose(1, 2).flatten(-2))


class MLP(nn.Module):
    """The feed-forward network, four times as wide inside."""

    def __init__(self, d_model: int):
        super().__init__()
        self.c_fc = nn.Linear(d_model, 4 * d_model)
        self.c_proj = nn.Linear(4 * d_model, d_model)

    def forward(self, x: Tensor) -> Tensor:
        """x [b, t, d_model] -> [b, t, d_model]."""
        # TODO (1 line): c_fc, GELU in its tanh approximation, c_proj
        raise NotImplementedError("feed")


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
        # TODO (2 lines): add attention, then the MLP, each of a normalised copy
        raise NotImplementedError("residual")


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
        # TODO (2 lines): `x`, [b, t, d_model]: embeddings of the tokens plus those of their positions
        raise NotImplementedError("embed")
        for block in self.h:
            x = block(x)
        # TODO (1 line): normalise, and compare with the embedding of every token
        raise NotImplementedError("logits")
