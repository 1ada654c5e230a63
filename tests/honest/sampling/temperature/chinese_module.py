"""中文命名，类与 match 语句，乘以倒数而不是除以温度。"""
from dataclasses import dataclass

import torch


@dataclass
class 温度采样:
    温度: float

    def __call__(self, 分数: torch.Tensor) -> torch.Tensor:
        差 = 分数.float() - torch.max(分数.float(), -1, keepdim=True)[0]
        match self.温度:
            case 0:
                并列 = (差 >= 0).to(torch.float32)
                return 并列 / 并列.sum(-1, True)
            case t:
                return torch.softmax(差 * (1.0 / t), -1)


def temperature_probs(logits, temperature):
    return 温度采样(temperature)(logits).type_as(logits)
