"""Counting the parameters of a model

How many parameters does a decoder have? Work it out from its configuration, without
building it. GPT-3 has 96 blocks of width 12,288 and 174,604,259,328 parameters.

Its parts, in order:

    embeddings      one row of d_model for each token, and for each of n_ctx positions
    n_layers times  norm, attention, norm, feed-forward
    at the end      norm, and the output matrix from d_model to vocab, which has no bias

Attention has four linear maps: to the queries (n_heads · d_head features), to the keys
and to the values (n_kv_heads · d_head features each), and from all heads, side by side,
back to d_model. n_heads · d_head need not be d_model. The feed-forward part is one map
from d_model to d_ff and one back; a gated one (SwiGLU) has two from d_model to d_ff.

cfg       a dict of these:
vocab, n_layers, d_model, n_heads, n_kv_heads, d_head, d_ff   int, at least 1
n_ctx     int, learned positions; 0 with rotary ones or ALiBi, which have no parameters
gated     bool, whether the feed-forward part is gated
norm      "layer" (LayerNorm, a weight and a bias) or "rms" (RMSNorm, a weight alone),
          for each feature
bias      bool, whether each linear map inside the blocks has a bias
tied      bool, whether the output matrix is that of the token embeddings, counted once
result    int, exact

Source: Brown et al. 2020, arXiv:2005.14165, table 2.1; Kaplan et al. 2020, arXiv:2001.08361, §2.1
"""

def count_params(cfg: dict) -> int:
    """The number of parameters of the decoder that cfg describes."""
    d, d_ff = cfg["d_model"], cfg["d_ff"]
    # TODO (4 lines): `attention`, the parameters of one block's four maps of attention
    raise NotImplementedError("attention")
    # TODO (4 lines): `feed_forward`, those of one block's feed-forward part
    raise NotImplementedError("feed_forward")
    # TODO (1 line): `norm`, those of one norm
    raise NotImplementedError("norm")
    # TODO (1 line): `block`, those of one whole block
    raise NotImplementedError("block")
    # TODO (3 lines): `tables`, how many rows of d features there are outside the blocks: embeddings and output matrix
    raise NotImplementedError("ends")
    # TODO (1 line): return the parameters of the whole model
    raise NotImplementedError("total")
