import math

import torch
from torch import Tensor, nn


class MLA(nn.Module):
    """Attention whose cache holds one latent and one rotated key for each token, however many heads there are."""

    def __init__(self, d_model: int, h: int, d_head: int, d_c: int, d_rope: int):
        super().__init__()
        self.h, self.d_head, self.d_rope = h, d_head, d_rope
        self.q_proj = nn.Linear(d_model, h * d_head, bias=False)
        self.q_rope = nn.Linear(d_model, h * d_rope, bias=False)
        self.kv_down = nn.Linear(d_model, d_c, bias=False)
        self.k_rope = nn.Linear(d_model, d_rope, bias=False)
        self.k_up = nn.Linear(d_c, h * d_head, bias=False)
        self.v_up = nn.Linear(d_c, h * d_head, bias=False)
        self.o_proj = nn.Linear(h * d_head, d_model, bias=False)

    def forward(self, x: Tensor, cache: tuple[Tensor, Tensor] | None = None) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """x [b, n, d_model] of the next tokens, cache of those before -> y [b, n, d_model], and the cache of all."""
        # BLANK latent
        past = 0 if cache is None else cache[0].shape[1]
        position = past + torch.arange(x.shape[1], device=x.device)  # [n]
        latent, key = self.kv_down(x), rotate(self.k_rope(x), position)  # [b, n, d_c], [b, n, d_rope]
        # END
        # BLANK extend
        if cache is not None:
            latent = torch.cat([cache[0], latent], dim=1)  # [b, total, d_c]
            key = torch.cat([cache[1], key], dim=1)  # rotated once, when they were new
        # END
        # BLANK queries
        q = self.q_proj(x).unflatten(-1, (self.h, -1)).transpose(1, 2)  # [b, h, n, d_head]
        q_rope = rotate(self.q_rope(x).unflatten(-1, (self.h, -1)).transpose(1, 2), position)  # [b, h, n, d_rope]
        # END
        # BLANK absorb
        k_up = self.k_up.weight.unflatten(0, (self.h, -1))  # [h, d_head, d_c]
        absorbed = q @ k_up  # [b, h, n, d_c]; q·(W c) = (Wᵀ q)·c
        # END
        # BLANK score
        scores = torch.einsum("bhnc,btc->bhnt", absorbed, latent) + torch.einsum("bhnr,btr->bhnt", q_rope, key)
        scores = scores / math.sqrt(self.d_head + self.d_rope)
        later = torch.arange(latent.shape[1], device=x.device) > position[:, None]  # [n, total]
        weights = scores.masked_fill(later, -math.inf).softmax(dim=-1)
        # END
        # BLANK values
        mixed = torch.einsum("bhnt,btc->bhnc", weights, latent)  # averaged as latents, and expanded only then
        heads = mixed @ self.v_up.weight.unflatten(0, (self.h, -1)).mT  # [b, h, n, d_head]
        # END
        # BLANK merge
        return self.o_proj(heads.transpose(1, 2).flatten(-2)), (latent, key)
        # END


def rotate(x: Tensor, position: Tensor) -> Tensor:
    """x [..., n, d_rope] turned by the n positions: RoPE of base 10000, features 2i and 2i + 1 are a pair."""
    exponents = torch.arange(0, x.shape[-1], 2, device=x.device) / x.shape[-1]
    angles = position[:, None] * 10000.0**-exponents  # [n, d_rope/2]
    first, second = x[..., 0::2].float(), x[..., 1::2].float()
    turned = first * angles.cos() - second * angles.sin(), second * angles.cos() + first * angles.sin()
    return torch.stack(turned, dim=-1).flatten(-2).to(x.dtype)
