import math

from torch import Tensor, nn


class MultiHeadAttention(nn.Module):
    """Self-attention of every token to every token, by several heads."""

    def __init__(self, d_model: int, num_heads: int, bias: bool = True):
        super().__init__()
        self.num_heads = num_heads
        self.q_proj = nn.Linear(d_model, d_model, bias=bias)
        self.k_proj = nn.Linear(d_model, d_model, bias=bias)
        self.v_proj = nn.Linear(d_model, d_model, bias=bias)
        self.out_proj = nn.Linear(d_model, d_model, bias=bias)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """x [b, t, d_model], mask broadcastable to [b, h, t, t] -> [b, t, d_model]."""
        # BLANK split
        by_head = (self.num_heads, -1)  # neighbouring features belong to one head
        q = self.q_proj(x).unflatten(-1, by_head).transpose(1, 2)  # [b, h, t, head_dim]
        k = self.k_proj(x).unflatten(-1, by_head).transpose(1, 2)
        v = self.v_proj(x).unflatten(-1, by_head).transpose(1, 2)
        # END
        # BLANK score
        scores = q @ k.mT / math.sqrt(q.shape[-1])  # [b, h, t, t]; a dot product grows with the root of its length
        # END
        # BLANK block
        if mask is not None:
            scores = scores.masked_fill(~mask, -math.inf)  # exp(-inf) is 0, however small the other scores are
        # END
        # BLANK attend
        weights = scores.softmax(dim=-1)  # [b, h, t, t], each query's weights sum to 1
        heads = weights @ v  # [b, h, t, head_dim]
        # END
        # BLANK merge
        merged = heads.transpose(1, 2).flatten(-2)  # [b, t, d_model], the heads of one token side by side
        return self.out_proj(merged)
        # END
