"""中文变量名；宽度用余数补足；门为 einsum 与 nn.SiLU，在 float32 中计算。"""

import torch
from torch import Tensor, nn


def matched_width(d_model: int, multiple_of: int = 1) -> int:
    宽 = 8 * d_model // 3
    余数 = 宽 % multiple_of
    return 宽 if 余数 == 0 else 宽 - 余数 + multiple_of


class SwiGLU(nn.Module):
    def __init__(self, d_model: int, d_ff: int):
        super().__init__()
        for 名字 in ("gate_proj", "up_proj"):
            setattr(self, 名字, nn.Linear(d_model, d_ff, bias=False))
        self.down_proj = nn.Linear(d_ff, d_model, bias=False)
        self.激活 = nn.SiLU()

    def forward(self, x: Tensor) -> Tensor:
        门 = self.激活(torch.einsum("...i,oi->...o", x, self.gate_proj.weight).float()).to(x.dtype)
        值 = torch.einsum("...i,oi->...o", x, self.up_proj.weight)
        return self.down_proj(torch.mul(门, 值))
