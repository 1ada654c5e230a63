"""用 split 切分；门在 float32 中计算后再回到 x 的 dtype；中文变量名。"""

import torch
from torch import Tensor, nn


class GEGLU(nn.Module):
    def __init__(self, d_model: int, d_ff: int) -> None:
        super().__init__()
        self.宽 = d_ff
        self.down_proj = nn.Linear(d_ff, d_model, bias=False)
        self.gate_up_proj = nn.Linear(d_model, d_ff + d_ff, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        门, 值 = torch.split(self.gate_up_proj(x), self.宽, dim=-1)
        宽门 = 门.float()
        打开 = (宽门 * torch.special.ndtr(宽门)).to(值.dtype)
        return self.down_proj(值 * 打开)
