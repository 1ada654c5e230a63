"""中文命名的类；剪枝时也按 score 比较（同一步长度相同，次序不变）。"""
import math


class 束:
    def __init__(self, 宽度, eos, alpha):
        self.宽度, self.eos, self.alpha = 宽度, eos, alpha
        self.存活, self.完成 = [([], 0.0)], []

    def 得分(self, 假设):
        ids, 总和 = 假设
        return 总和 / math.pow((5 + len(ids)) / 6, self.alpha)

    def 一步(self, 表, bos):
        候选 = []
        for ids, 总和 in self.存活:
            行 = 表[(ids or [bos])[-1]]
            for b in (行 > -math.inf).nonzero().flatten().tolist():
                候选.append((ids + [b], 总和 + 行[b].item()))
        候选.sort(key=self.得分)
        保留 = 候选[-self.宽度:]
        self.存活 = []
        for 假设 in 保留:
            (self.完成 if 假设[0][-1] == self.eos else self.存活).append(假设)


def beam_search(log_probs, bos, eos, beam, alpha=0.6):
    搜索 = 束(beam, eos, alpha)
    for 表 in log_probs:
        搜索.一步(表, bos)
    最好 = max(搜索.完成 or 搜索.存活, key=搜索.得分)
    return 最好[0], 搜索.得分(最好)
