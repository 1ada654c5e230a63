"""逐个 token、逐个选择计算，用列表记录每个专家已接收的数量；中文变量名。"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class 专家(nn.Module):
    def __init__(self, d_model: int, d_ff: int):
        super().__init__()
        self.gate_proj = nn.Linear(d_model, d_ff, bias=False)
        self.up_proj = nn.Linear(d_model, d_ff, bias=False)
        self.down_proj = nn.Linear(d_ff, d_model, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        门 = self.gate_proj(x)
        return self.down_proj(门 * 门.sigmoid() * self.up_proj(x))


class MoE(nn.Module):
    def __init__(self, d_model: int, d_ff: int, num_experts: int, k: int, capacity_factor: float | None = None):
        super().__init__()
        self.个数, self.k, self.系数 = num_experts, k, capacity_factor
        self.router = nn.Linear(d_model, num_experts, bias=False)
        self.experts = nn.ModuleList(专家(d_model, d_ff) for _ in range(num_experts))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        各行 = x.reshape(-1, x.shape[-1])
        n = len(各行)
        容量 = n if self.系数 is None else math.ceil(self.系数 * self.k * n / self.个数)
        分数 = self.router(各行).to(torch.float32)
        已选 = [0] * self.个数
        结果 = []
        for 行, 一行分数 in zip(各行, 分数):
            最大, 选择 = 一行分数.topk(self.k)
            权重 = F.softmax(最大, dim=0).to(x.dtype)
            和 = torch.zeros_like(行)
            for 权, e in zip(权重, 选择.tolist()):
                已选[e] += 1
                if 已选[e] <= 容量:
                    和 = 和 + 权 * self.experts[e](行)
            结果.append(和)
        f = torch.tensor(已选, dtype=torch.float32) / n
        均衡 = self.个数 * torch.sum(f * torch.softmax(分数, dim=-1).mean(dim=0))
        return torch.stack(结果).reshape(x.shape), 均衡
