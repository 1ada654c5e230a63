"""先展平所有 token，再还原形状；门用 F.logsigmoid 的指数，参数名取自列表。"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class GLUFFN(nn.Module):
    def __init__(self, d_model: int, d_ff: int, bias: bool = False) -> None:
        super().__init__()
        self.down_proj = nn.Linear(d_ff, d_model, bias=bias)
        self.up_proj = nn.Linear(d_model, d_ff, bias=bias)
        self.gate_proj = nn.Linear(d_model, d_ff, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        各行 = x.reshape(-1, x.shape[-1])
        门 = F.logsigmoid(self.gate_proj(各行)).exp()
        通过 = torch.mul(门, self.up_proj(各行))
        return self.down_proj(通过).view(*x.shape[:-1], -1)
