"""Names that exercises forbid together: `forbid = ["@attention"]` in a TOML stands for every way torch has to attend.

@softmax: whatever normalises exponentials, or gives the logarithm of their sum.
"""

from collections.abc import Iterable

# What hides which operator does the work.
WAYS_AROUND = [
    "torch._C._VariableFunctions",
    "torch._VF",
    "torch._decomp",
    "torch.compile",
    "torch.nn.Module.compile",
    "torch._dynamo.optimize",
]

# Whole layers, attention and all.
LAYERS = [
    "torch._native_multi_head_attention",
    "torch._transformer_encoder_layer_fwd",
    "torch.ops.aten._native_multi_head_attention",
    "torch.ops.aten._transformer_encoder_layer_fwd",
    "torch.nn.functional.multi_head_attention_forward",
    "torch.nn.MultiheadAttention",
    "torch.nn.Transformer",
    "torch.nn.TransformerDecoder",
    "torch.nn.TransformerDecoderLayer",
    "torch.nn.TransformerEncoder",
    "torch.nn.TransformerEncoderLayer",
    "torch.nn.modules.MultiheadAttention",
    "torch.nn.modules.Transformer",
    "torch.nn.modules.TransformerDecoder",
    "torch.nn.modules.TransformerDecoderLayer",
    "torch.nn.modules.TransformerEncoder",
    "torch.nn.modules.TransformerEncoderLayer",
    "torch.nn.modules.activation.MultiheadAttention",
    "torch.nn.modules.transformer",
    "torch.nn.modules.transformer.Transformer",
    "torch.nn.modules.transformer.TransformerDecoder",
    "torch.nn.modules.transformer.TransformerDecoderLayer",
    "torch.nn.modules.transformer.TransformerEncoder",
    "torch.nn.modules.transformer.TransformerEncoderLayer",
    "torch.nn.quantizable.MultiheadAttention",
    "torch.ao.nn.quantizable.MultiheadAttention",
    "torch.ao.nn.quantizable.modules.MultiheadAttention",
    "torch.ao.nn.quantizable.modules.activation.MultiheadAttention",
    "torch.ao.nn.quantized.MultiheadAttention",
    "torch.ao.nn.quantized.modules.MultiheadAttention",
    "torch.ao.nn.quantized.modules.activation.MultiheadAttention",
]

FAMILIES: dict[str, list[str]] = {
    "@attention": [
        "torch.nn.functional.scaled_dot_product_attention",
        "torch._C._nn.scaled_dot_product_attention",
        "torch.ops.aten.scaled_dot_product_attention",
        "torch._scaled_dot_product_attention_math",
        "torch._scaled_dot_product_attention_math_for_mps",
        "torch._scaled_dot_product_cudnn_attention",
        "torch._scaled_dot_product_efficient_attention",
        "torch._scaled_dot_product_flash_attention",
        "torch._scaled_dot_product_flash_attention_for_cpu",
        "torch._flash_attention_forward_no_dropout_inplace",
        "torch._triton_multi_head_attention",
        "torch._triton_scaled_dot_attention",
        "torch.ops.aten._scaled_dot_product_attention_math",
        "torch.ops.aten._scaled_dot_product_attention_math_for_mps",
        "torch.ops.aten._scaled_dot_product_cudnn_attention",
        "torch.ops.aten._scaled_dot_product_efficient_attention",
        "torch.ops.aten._scaled_dot_product_flash_attention",
        "torch.ops.aten._scaled_dot_product_flash_attention_for_cpu",
        "torch.ops.aten._scaled_dot_product_fused_attention_overrideable",
        "torch.ops.aten._cudnn_attention_forward",
        "torch.ops.aten._efficient_attention_forward",
        "torch.ops.aten._flash_attention_forward",
        "torch.ops.aten._flash_attention_forward_no_dropout_inplace",
        "torch.ops.aten._triton_multi_head_attention",
        "torch.ops.aten._triton_scaled_dot_attention",
        "torch.nn.attention.flex_attention",
        "torch.nn.attention.flex_attention.flex_attention",
        "torch.nn.attention.varlen",
        "torch.nn.attention.varlen.varlen_attn",
        "torch.nn.attention.varlen.varlen_attn_out",
        "torch.ops.higher_order.flex_attention",
        "torch._higher_order_ops.flex_attention",
        "torch._higher_order_ops.flex_attention.flex_attention",
        "torch._decomp.decompositions.scaled_dot_product_flash_attention_for_cpu",
        *LAYERS,
        *WAYS_AROUND,
    ],
    "@transformer": [*LAYERS, *WAYS_AROUND],  # attention itself may be torch's
    "@softmax": [
        "torch.softmax",
        "torch._softmax",
        "torch._safe_softmax",
        "torch._masked_softmax",
        "torch.special.softmax",
        "torch.sparse.softmax",
        "torch.Tensor.softmax",
        "torch.nn.functional.softmax",
        "torch.nn.functional.softmin",
        "torch.nn.functional.gumbel_softmax",
        "torch.nn.Softmax",
        "torch.nn.Softmin",
        "torch.nn.Softmax2d",
        "torch.nn.modules.activation.Softmax",
        "torch.nn.modules.activation.Softmin",
        "torch.log_softmax",
        "torch._log_softmax",
        "torch.special.log_softmax",
        "torch.sparse.log_softmax",
        "torch.Tensor.log_softmax",
        "torch.nn.functional.log_softmax",
        "torch.nn.LogSoftmax",
        "torch.nn.modules.activation.LogSoftmax",
        "torch.logsumexp",
        "torch.special.logsumexp",
        "torch.Tensor.logsumexp",
        "torch.logaddexp",
        "torch.Tensor.logaddexp",
        "torch.logaddexp2",
        "torch.Tensor.logaddexp2",
        "torch.logcumsumexp",
        "torch.Tensor.logcumsumexp",
        "torch.ops.aten.softmax",
        "torch.ops.aten._softmax",
        "torch.ops.aten._safe_softmax",
        "torch.ops.aten._masked_softmax",
        "torch.ops.aten.special_softmax",
        "torch.ops.aten.log_softmax",
        "torch.ops.aten._log_softmax",
        "torch.ops.aten.special_log_softmax",
        "torch.ops.aten.logsumexp",
        "torch.ops.aten.special_logsumexp",
        "torch.ops.aten.logaddexp",
        "torch.ops.aten.logaddexp2",
        "torch.ops.aten.logcumsumexp",
        "torch.ops.aten._logcumsumexp",
        "torch.masked.softmax",
        "torch.masked.log_softmax",
        "torch.masked.softmin",
        "torch.masked.logsumexp",
        "torch.masked.logaddexp",
        "torch.nn.functional.cross_entropy",
        "torch.nn.CrossEntropyLoss",
    ],
}


def spelt_out(forbid: Iterable[str]) -> list[str]:
    """Each family as its members.

    Raises:
        ValueError: there is no such family.
    """
    names = []
    for name in forbid:
        if name.startswith("@") and name not in FAMILIES:
            raise ValueError(f"there is no family `{name}`, only {', '.join(FAMILIES)}")
        names += FAMILIES.get(name, [name])
    return names
