"""预先分配结果与掩码，边生成边写入，最后裁剪。"""
import torch


def 筛选(分数, 个数, 比例):
    if 个数:
        门槛 = 分数.sort(dim=-1, descending=True).values[:, min(个数, 分数.shape[1]) - 1]
        分数 = torch.where(分数 >= 门槛[:, None], 分数, -torch.inf)
    概率 = torch.softmax(分数, dim=-1)
    领先 = (概率[:, None, :] * (概率[:, None, :] > 概率[:, :, None])).sum(dim=-1)
    概率 = torch.where(领先 < 比例, 概率, 0.0)
    return 概率 / 概率.sum(dim=-1, keepdim=True)


def generate(model, ids, mask, uniforms, stop, pad, temperature=1.0, top_k=0, top_p=1.0):
    批次, 长度 = ids.shape
    最多 = uniforms.shape[1]
    全部 = torch.full((批次, 长度 + 最多), pad)
    全部[:, :长度] = ids
    真实 = torch.cat([mask, torch.ones(批次, 最多, dtype=torch.bool)], dim=1)
    缓存, 完成, 起点 = model.new_cache(), torch.zeros(批次, dtype=torch.bool), 0
    for 终点 in range(长度, 长度 + 最多):
        logits = model(全部[:, 起点:终点], 真实[:, :终点], 缓存)[:, -1]
        累计 = 筛选(logits / temperature, top_k, top_p).cumsum(dim=-1)
        新 = (累计 > uniforms[:, [终点 - 长度]]).int().argmax(dim=-1)
        全部[~完成, 终点] = 新[~完成]
        for 词 in stop:
            完成 |= 全部[:, 终点] == 词
        起点 = 终点
        if bool(完成.all()):
            return 全部[:, : 终点 + 1]
    return 全部
