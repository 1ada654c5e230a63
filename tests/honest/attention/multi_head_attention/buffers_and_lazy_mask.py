"""Extra non-persistent buffers, a scratch attribute, a default for the mask, custom weight initialisation, extra_repr."""

import torch
import torch.nn as nn
import torch.nn.init as init


class MultiHeadAttention(nn.Module):
    """Multi-head attention.

    Args:
        d_model (int): width
        num_heads (int): how many heads
        bias (bool, optional): Defaults to True.
    """

    def __init__(self, d_model, num_heads, bias=True):
        super().__init__()
        self.d_model = d_model
        self.num_heads = num_heads
        self.register_buffer("scale", torch.tensor((d_model / num_heads) ** -0.5), persistent=False)
        self.register_buffer("everything", torch.ones(1, 1, 1, 1, dtype=torch.bool), persistent=False)
        self.q_proj = nn.Linear(d_model, d_model, bias=bias)
        self.k_proj = nn.Linear(d_model, d_model, bias=bias)
        self.v_proj = nn.Linear(d_model, d_model, bias=bias)
        self.out_proj = nn.Linear(d_model, d_model, bias=bias)
        self.last_weights = None  # for plots
        self.reset_parameters()

    def reset_parameters(self):
        for module in self.modules():
            if isinstance(module, nn.Linear):
                init.xavier_uniform_(module.weight)
                if module.bias is not None:
                    init.zeros_(module.bias)

    def extra_repr(self):
        return f"d_model={self.d_model}, num_heads={self.num_heads}"

    def forward(self, x, mask=None):
        mask = self.everything if mask is None else mask
        bsz, seq, _ = x.shape
        q, k, v = map(
            lambda proj: proj(x).reshape(bsz, seq, self.num_heads, -1).swapaxes(1, 2),
            (self.q_proj, self.k_proj, self.v_proj),
        )
        logits = (q @ k.swapaxes(-1, -2)) * self.scale.to(q.dtype)
        weights = logits.masked_fill(mask.bitwise_not(), -torch.inf).softmax(dim=-1)
        self.last_weights = weights.detach()
        context = (weights @ v).swapaxes(1, 2).reshape(bsz, seq, self.d_model)
        return self.out_proj(context)
