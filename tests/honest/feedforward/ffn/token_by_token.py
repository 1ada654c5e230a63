"""逐个 token 计算，中文变量名；激活函数用 match 选择。"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class FFN(nn.Module):
    def __init__(self, d_model: int, d_ff: int, activation: str = "relu", bias: bool = True):
        super().__init__()
        self.激活 = activation
        self.fc1 = nn.Linear(d_model, d_ff, bias=bias)
        self.fc2 = nn.Linear(d_ff, d_model, bias=bias)

    def 一个(self, 向量: Tensor) -> Tensor:
        match self.激活:
            case "relu":
                隐藏 = self.fc1(向量).clamp_min(0)
            case "gelu":
                隐藏 = F.gelu(self.fc1(向量))
        return self.fc2(隐藏)

    def forward(self, x: Tensor) -> Tensor:
        各行 = [self.一个(向量) for 向量 in x.reshape(-1, x.shape[-1])]
        return torch.stack(各行).reshape(x.shape)
