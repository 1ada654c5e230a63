"""Post-LN, pre-LN, sandwich-LN

A sublayer f never replaces the stream x, it adds to it: x + f(x). Here LayerNorm acts on whole
vectors of that stream, in one of three places:

    post      y = norm(x + f(x))              the first Transformer, GPT-1, BERT
    pre       y = x + f(norm(x))              GPT-2, GPT-3; Llama and Qwen, with RMSNorm
    sandwich  y = x + out_norm(f(norm(x)))    CogView

In pre and sandwich x goes through all blocks untouched and grows by what each adds, so one more
LayerNorm stands behind the last block; in post there is none.

What it does to training, at the start: in post-LN the gradient of the last blocks is large however
deep the model is, in pre-LN it shrinks with depth L like 1/√L, and the way along x brings
it to the first block. So post-LN needs a warm-up of the learning rate, pre-LN hardly does.

Here f(x) = fc2(relu(fc1(x))). A block has fc1 = nn.Linear(d_model, d_ff), fc2 = nn.Linear(d_ff,
d_model), norm = nn.LayerNorm(d_model), and in sandwich only a second LayerNorm, out_norm. A
Stack has `blocks`, an nn.ModuleList of depth blocks, and, except in post, a last LayerNorm,
norm. eps is torch's, 1e-5, all parameters have torch's names.

placement  "post", "pre" or "sandwich"
x          [..., d_model], one axis or more; float32, float16 or bfloat16, like the parameters;
           need not be contiguous, must not be changed
result     [..., d_model], the dtype of x; gradients flow to x and all parameters

nn.LayerNorm may be used, torch's ready-made layers not.

Source: Xiong et al. 2020, arXiv:2002.04745, table 1 and §3; sandwich: Ding et al. 2021, CogView, arXiv:2105.13290
"""

from torch import Tensor, nn


class ResidualBlock(nn.Module):
    """A feed-forward network f, a residual connection, and LayerNorm in one of three places."""

    def __init__(self, d_model: int, d_ff: int, placement: str):
        super().__init__()
        self.placement = placement
        self.fc1 = nn.Linear(d_model, d_ff)
        self.fc2 = nn.Linear(d_ff, d_model)
        self.norm = nn.LayerNorm(d_model)
        if placement == "sandwich":
            self.out_norm = nn.LayerNorm(d_model)

    def f(self, x: Tensor) -> Tensor:
        return self.fc2(self.fc1(x).relu())

    def forward(self, x: Tensor) -> Tensor:
        """x [..., d_model] -> [..., d_model]."""
        if self.placement == "post":
            # TODO (1 line): return the block's result in post-LN
            raise NotImplementedError("post")
        if self.placement == "pre":
            # TODO (1 line): return the block's result in pre-LN
            raise NotImplementedError("pre")
        # TODO (1 line): return the block's result in sandwich-LN
        raise NotImplementedError("sandwich")


class Stack(nn.Module):
    """As many blocks as it is deep."""

    def __init__(self, d_model: int, d_ff: int, depth: int, placement: str):
        super().__init__()
        self.blocks = nn.ModuleList(ResidualBlock(d_model, d_ff, placement) for _ in range(depth))
        # TODO (1 line): `self.norm`: what stands behind the last block; where nothing does, nn.Identity()
        raise NotImplementedError("last_norm")

    def forward(self, x: Tensor) -> Tensor:
        """x [..., d_model] -> [..., d_model]."""
        # TODO (3 lines): return x after all blocks and after what stands behind the last one
        raise NotImplementedError("stack")
