"""From scratch: torch's scaled_dot_product_attention, an output layer tied to the embeddings, nn.GELU."""

import torch
from torch import nn
from torch.nn.functional import scaled_dot_product_attention


class SelfAttention(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.c_attn = nn.Linear(width, width * 3)
        self.c_proj = nn.Linear(width, width)

    def forward(self, tokens):
        batch, time, width = tokens.shape
        qkv = self.c_attn(tokens).view(batch, time, 3, self.heads, width // self.heads)
        query, key, value = qkv.permute(2, 0, 3, 1, 4)
        seen = scaled_dot_product_attention(query, key, value, is_causal=True)
        return self.c_proj(seen.permute(0, 2, 1, 3).reshape(batch, time, width))


class Layer(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.attn = SelfAttention(width, heads)
        self.ln_1, self.ln_2 = nn.LayerNorm(width, eps=1e-5), nn.LayerNorm(width, eps=1e-5)
        self.mlp = nn.Sequential()
        self.mlp.add_module("c_fc", nn.Linear(width, 4 * width))
        self.mlp.add_module("act", nn.GELU("tanh"))
        self.mlp.add_module("c_proj", nn.Linear(4 * width, width))

    def forward(self, stream):
        stream = stream + self.attn(self.ln_1(stream))
        stream = stream + self.mlp(self.ln_2(stream))
        return stream


class GPT(nn.Module):
    def __init__(self, vocab_size, context, d_model, num_heads, num_layers):
        super().__init__()
        self.wte = nn.Embedding(vocab_size, d_model)
        self.wpe = nn.Embedding(context, d_model)
        self.h = nn.Sequential(*[Layer(d_model, num_heads) for _ in range(num_layers)])
        self.ln_f = nn.LayerNorm(d_model)
        self.lm_head = nn.Linear(d_model, vocab_size, bias=False)
        self.lm_head.weight = self.wte.weight

    def forward(self, ids):
        where = torch.arange(ids.size(1), device=ids.device).expand_as(ids)
        return self.lm_head(self.ln_f(self.h(self.wte(ids) + self.wpe(where))))
