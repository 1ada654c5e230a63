"""The calls that were measured, as the published benchmark scripts set them up.

    find("rms_norm")(Size(4096, {"M": 2048, ...}), "liger", liger)      Work(forward, cleared=[x], gradient=dy)

github.com/linkedin/Liger-Kernel, benchmark/scripts/benchmark_*.py, read for shapes, dtypes and what `forward`, `backward` and
`full` do; the eager counterparts are Hugging Face's and Megatron's formulas, written out.
"""

import importlib
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Work(NamedTuple):
    """One call. cleared: whose gradient is dropped before each run. gradient: of the output; None: of a loss.

    summed: the gradient is that of output.sum(), and forward runs again before each backward. drawn: the gradient is drawn
    anew in each run.
    """

    forward: Callable[[], Tensor]
    cleared: tuple[Tensor, ...] = ()
    gradient: Tensor | None = None
    summed: bool = False
    drawn: bool = False


Make = Callable[[int, dict[str, Any], str], Work]
WORKLOADS: dict[str, Make] = {}
SOURCES = {  # where a release does not have the kernel that was measured before it came out: the first that has
    ("embedding", "0.2.1"): "0.4.2",
    ("layer_norm", "0.2.1"): "0.4.2",
    ("softmax", "0.5.8"): "0.6.0",
    ("tiled_geglu", "0.6.3"): "0.8.0",
    ("tiled_swiglu", "0.6.3"): "0.8.0",
    ("megatron_rms_norm", "0.8.0"): "0.8.1",
    ("megatron_cross_entropy", "0.8.0"): "0.8.1",
    ("megatron_swiglu", "0.8.1"): "0.8.5",
}


def release(kernel: str, version: str) -> str:
    """The release of liger-kernel whose source is run."""
    return SOURCES.get((kernel, version), version)


def workload(make: Make) -> Make:
    WORKLOADS[make.__name__] = make
    return make


def liger(module: str, name: str) -> Any:
    return getattr(importlib.import_module(f"liger_kernel.ops.{module}"), name)


def random(*shape: int, dtype: torch.dtype = torch.float32, grad: bool = False) -> Tensor:
    return torch.empty(shape, dtype=dtype).requires_grad_(grad)


@workload
def rms_norm(size: int, config: dict[str, Any], provider: str) -> Work:
    x = random(config["M"], size, dtype=torch.bfloat16, grad=True)
    weight = random(size, grad=True)
    dy = random(config["M"], size, dtype=torch.bfloat16)
    if provider == "liger":
        norm = liger("rms_norm", "LigerRMSNormFunction")
        return Work(lambda: norm.apply(x, weight, 1e-6, 0.0, "llama"), (x,), dy)

    def hugging_face() -> Tensor:
        wide = x.to(torch.float32)
        variance = wide.pow(2).mean(-1, keepdim=True)
        return weight * (wide * torch.rsqrt(variance + 1e-6)).to(x.dtype)

    return Work(hugging_face, (x,), dy)


@workload
def layer_norm(size: int, config: dict[str, Any], provider: str) -> Work:
    x, dy = random(config["M"], size, grad=True), random(config["M"], size)
    weight, bias = random(size, grad=True), random(size, grad=True)
    if provider == "liger":
        norm = liger("layer_norm", "LigerLayerNormFunction")
        return Work(lambda: norm.apply(x, weight, bias, 1e-6), (x,), dy)
    return Work(lambda: F.layer_norm(x, (size,), weight, bias, 1e-6), (x,), dy)


@workload
def softmax(size: int, config: dict[str, Any], provider: str) -> Work:
    dtype = _dtype(config)
    x, dy = random(config["M"], size, dtype=dtype, grad=True), random(config["M"], size, dtype=dtype)
    if provider == "liger":
        function = liger("softmax", "LigerSoftmaxFunction")
        return Work(lambda: function.apply(x), (x,), dy)
    return Work(lambda: F.softmax(x, -1), (x,), dy)


@workload
def cross_entropy(size: int, config: dict[str, Any], provider: str) -> Work:
    rows = config["B"] * config["T"]
    x, target = random(rows, size, grad=True), torch.randint(size, (rows,))
    if provider == "liger":
        loss = liger("cross_entropy", "LigerCrossEntropyFunction")
        return Work(lambda: loss.apply(x, target, -100))
    return Work(lambda: F.cross_entropy(x, target))


@workload
def embedding(size: int, config: dict[str, Any], provider: str) -> Work:
    table = random(size, config["D"], grad=True)
    ids = torch.randint(size, (config["B"], config["T"]))
    if provider == "liger":
        function = liger("experimental.embedding", "LigerEmbeddingFunction")
        return Work(lambda: function.apply(table, ids), drawn=True)
    return Work(lambda: F.embedding(ids, table), drawn=True)


@workload
def fused_linear_cross_entropy(size: int, config: dict[str, Any], provider: str) -> Work:
    hidden, vocabulary = config["H"], config["V"]
    x = random(size, hidden, dtype=torch.bfloat16, grad=True)
    weight, target = random(vocabulary, hidden, dtype=torch.bfloat16, grad=True), torch.randint(vocabulary, (size,))
    if provider == "liger":
        loss = liger("fused_linear_cross_entropy", "LigerFusedLinearCrossEntropyFunction")
        return Work(lambda: loss.apply(x, weight, target))
    return Work(lambda: F.cross_entropy(F.linear(x, weight), target))


@workload
def swiglu(size: int, config: dict[str, Any], provider: str) -> Work:
    x = random(config["B"], size, config["hidden_size"], dtype=torch.bfloat16, grad=True)
    layer = Gated(config, liger("swiglu", "LigerSiLUMulFunction").apply if provider == "liger" else _swiglu)
    return Work(lambda: layer(x), (x,))


@workload
def tiled_swiglu(size: int, config: dict[str, Any], provider: str) -> Work:
    return _tiled(size, config, provider, ("swiglu", "LigerSiLUMulFunction"), _swiglu)


@workload
def tiled_geglu(size: int, config: dict[str, Any], provider: str) -> Work:
    return _tiled(size, config, provider, ("geglu", "LigerGELUMulFunction"), _geglu)


@workload
def megatron_rms_norm(size: int, config: dict[str, Any], provider: str) -> Work:
    x = random(config["S"], config["B"], size, dtype=torch.bfloat16, grad=True)
    weight = random(size, dtype=torch.bfloat16, grad=True)
    if provider == "liger":
        norm = liger("rms_norm", "LigerRMSNormFunction")
        return Work(lambda: norm.apply(x, weight, 1e-6, 0.0, "llama", False, None), summed=True)
    return Work(lambda: FusedRmsNorm.apply(x, weight), summed=True)


@workload
def megatron_swiglu(size: int, config: dict[str, Any], provider: str) -> Work:
    x = random(config["S"], config["B"], 2 * size, dtype=torch.bfloat16, grad=True)
    if provider.startswith("liger"):
        function = liger("swiglu", "LigerFusedGateUpSiLUMulFunction")
        return Work(lambda: function.apply(x.view(-1, 2 * size), provider == "liger_in_place"), (x,), summed=True)
    return Work(lambda: _swiglu(*torch.chunk(x, 2, -1)), (x,), summed=True)


@workload
def megatron_cross_entropy(size: int, config: dict[str, Any], provider: str) -> Work:
    x = random(config["S"], config["B"], size, dtype=torch.bfloat16, grad=True)
    target = torch.randint(size, (config["S"], config["B"]))
    if provider == "liger":
        loss = liger("vocab_parallel_cross_entropy", "LigerVocabParallelCEFunction")
        return Work(lambda: loss.apply(x, target, None, -100, 0.0, "megatron", "partition"), (x,), summed=True)
    return Work(lambda: MegatronCrossEntropy.apply(x, target), (x,), summed=True)


@workload
def kto_loss(size: int, config: dict[str, Any], provider: str) -> Work:
    hidden, vocabulary, rows = config["H"], config["V"], config["T"]
    x, reference = (random(size, rows, hidden, dtype=torch.bfloat16) for _ in range(2))
    weight, reference_weight = (random(vocabulary, hidden, dtype=torch.bfloat16, grad=True) for _ in range(2))
    bias, reference_bias = (random(vocabulary, dtype=torch.bfloat16, grad=True) for _ in range(2))
    target = torch.randint(vocabulary, (size, rows))
    target.view(-1)[: size * rows // 4] = config["ignore_index"]
    chosen = torch.arange(size) % 2 == 0

    def logps(logits: Tensor) -> Tensor:
        mask = target != config["ignore_index"]
        labels = torch.where(target == config["ignore_index"], 0, target)
        each = torch.gather(logits.log_softmax(-1), 2, labels.unsqueeze(2)).squeeze(2)
        return (each * mask).sum(-1) / mask.sum(-1)

    def hugging_face() -> Tensor:
        logits = (x @ weight.t() + bias).float()
        policy = logps(logits)
        halves = logits[chosen], logits[~chosen]
        with torch.no_grad():
            known = logps(reference @ reference_weight.t() + reference_bias)
        good = 1 - torch.sigmoid(0.1 * (policy[chosen] - known[chosen]))
        bad = 1 - torch.sigmoid(0.1 * (known[~chosen] - policy[~chosen]))
        for half in halves:
            half.detach().sum()
        return torch.cat((good, bad)).mean()

    return Work(hugging_face)


@workload
def distill_cosine_loss(size: int, config: dict[str, Any], provider: str) -> Work:
    hidden, vocabulary = config["H"], config["V"]
    student = random(size, hidden // 2, dtype=torch.bfloat16, grad=True)
    teacher = random(size, hidden, dtype=torch.bfloat16)
    weight = random(vocabulary, hidden // 2, dtype=torch.bfloat16, grad=True)
    teacher_weight = random(vocabulary, hidden, dtype=torch.bfloat16)
    target = torch.randint(vocabulary, (size,))

    def torch_loss() -> Tensor:
        mine = (student @ weight.t()).float()
        with torch.no_grad():
            theirs = (teacher @ teacher_weight.t()).float()
        hard = F.cross_entropy(mine, target)
        mine /= 1.0
        theirs /= 1.0
        cosine = F.cosine_similarity(F.normalize(mine, dim=-1), F.normalize(theirs, dim=-1), dim=-1)
        return 0.5 * hard + 0.5 * (1 - cosine).mean()

    return Work(torch_loss)


class Gated(nn.Module):
    """Llama's feed-forward layer."""

    def __init__(self, config: dict[str, Any], act: Callable[[Tensor, Tensor], Tensor]):
        super().__init__()
        hidden, inner = config["hidden_size"], config["intermediate_size"]
        self.gate, self.up = (nn.Parameter(random(inner, hidden, dtype=torch.bfloat16)) for _ in range(2))
        self.down = nn.Parameter(random(hidden, inner, dtype=torch.bfloat16))
        self.act = act

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(self.act(F.linear(x, self.gate), F.linear(x, self.up)), self.down)


def _swiglu(gate: Tensor, up: Tensor) -> Tensor:
    return F.silu(gate) * up


def _geglu(gate: Tensor, up: Tensor) -> Tensor:
    return F.gelu(gate, approximate="tanh") * up


def _tiled(size: int, config: dict[str, Any], provider: str, ours: tuple[str, str], plain: Any) -> Work:
    x = random(config["bsz"], size, config["hidden_size"], dtype=torch.bfloat16, grad=True)
    dy = random(config["bsz"], size, config["hidden_size"], dtype=torch.bfloat16)
    layer = Gated(config, liger(*ours).apply if provider.startswith("liger") else plain)
    shards = config["num_shards"]
    if provider == "liger_tiled":
        tiled = liger("tiled_mlp", "apply_tiled_mlp")
        return Work(lambda: tiled(Gated.forward, layer, x, shards, list(layer.parameters())), (x,), dy)
    if provider == "deepspeed_tiled":
        return Work(lambda: DeepSpeedTiled.apply(layer, x, shards), (x,), dy)
    return Work(lambda: layer(x), (x,), dy)


class DeepSpeedTiled(torch.autograd.Function):
    """Shard by shard, forward again in backward."""

    @staticmethod
    def forward(ctx: Any, layer: Gated, x: Tensor, shards: int) -> Tensor:
        ctx.layer, ctx.shards = layer, shards
        ctx.save_for_backward(x)
        with torch.no_grad():
            return torch.cat([layer(shard) for shard in torch.chunk(x, shards, -2)], -2)

    @staticmethod
    def backward(ctx: Any, dy: Tensor) -> Any:
        (saved,) = ctx.saved_tensors
        x = saved.detach().view(-1, saved.shape[-1])
        dy = dy.view_as(x)
        dx = torch.zeros_like(x)
        for shard, of, into in zip(*(torch.chunk(each, ctx.shards) for each in (x, dy, dx)), strict=True):
            shard.requires_grad_(True)
            shard.grad = into
            with torch.enable_grad():
                y = ctx.layer(shard)
            torch.autograd.backward(y, of)
        return None, dx.view_as(saved), None


LIBRARY = torch.library.Library("fused", "DEF")
LIBRARY.define("_fused_rms_norm(Tensor x, Tensor weight) -> (Tensor, Tensor)")
LIBRARY.define("_fused_rms_norm_backward(Tensor dy, Tensor x, Tensor rstd, Tensor weight) -> (Tensor, Tensor)")
LIBRARY.impl("_fused_rms_norm", lambda x, w: (torch.empty_like(x), x.new_empty(x.shape[:-1])), "Meta")
LIBRARY.impl("_fused_rms_norm_backward", lambda dy, x, r, w: (torch.empty_like(x), torch.empty_like(w)), "Meta")


class FusedRmsNorm(torch.autograd.Function):
    """torch.nn.RMSNorm, which has a kernel of its own on a GPU only."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor) -> Tensor:
        y, rstd = torch.ops.fused._fused_rms_norm(x, weight)
        ctx.save_for_backward(x, rstd, weight)
        return y

    @staticmethod
    def backward(ctx: Any, dy: Tensor) -> Any:
        return torch.ops.fused._fused_rms_norm_backward(dy.contiguous(), *ctx.saved_tensors)


class MegatronCrossEntropy(torch.autograd.Function):
    """The unfused one of Megatron-LM, on one GPU."""

    @staticmethod
    def forward(ctx: Any, logits: Tensor, target: Tensor) -> Tensor:
        logits = logits.float()
        logits -= torch.max(logits, dim=-1)[0].unsqueeze(-1)
        mask = (target < 0) | (target >= logits.shape[-1])
        masked = target.clone()
        masked[mask] = 0
        flat = logits.view(-1, logits.shape[-1])
        rows = torch.arange(flat.shape[0])
        predicted = flat[rows, masked.view(-1)].view_as(target)
        predicted[mask] = 0.0
        torch.exp(logits, out=logits)
        total = logits.sum(-1)
        loss = torch.log(total) - predicted
        logits.div_(total.unsqueeze(-1))
        ctx.save_for_backward(logits, mask, masked.view(-1))
        return loss

    @staticmethod
    def backward(ctx: Any, dy: Tensor) -> Any:
        softmax, mask, masked = ctx.saved_tensors
        flat = softmax.view(-1, softmax.shape[-1])
        rows = torch.arange(flat.shape[0])
        flat[rows, masked] -= 1.0 - mask.view(-1).float()
        softmax.mul_(dy.unsqueeze(-1))
        return softmax, None


def _dtype(config: dict[str, Any]) -> torch.dtype:
    return getattr(torch, config["dtype"].removeprefix("torch."))
