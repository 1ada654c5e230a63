import random

import pytest
import torch

from clozekit.grading import mistake, reference

# side, encoder layers, decoder layers
MODELS = {
    "encoder only": ("encoder", 12, 0),
    "decoder only": ("decoder", 0, 24),
    "a thousand layers": ("decoder", 0, 1000),
    "one layer": ("encoder", 1, 0),
    "encoder beside a decoder": ("encoder", 18, 6),
    "decoder beside an encoder": ("decoder", 18, 6),
}

# shape, alpha, scale, dtype, eps
CASES = {
    "plain rows": ((3, 8), 2.2, 1, torch.float32, 1e-8),
    "batch and time": ((2, 3, 8), 2.2, 1, torch.float32, 1e-8),
    "one row": ((16,), 3.1, 1, torch.float32, 1e-8),
    "odd width": ((5, 37), 6.7, 1, torch.float32, 1e-8),
    "large eps": ((3, 8), 2.2, 1, torch.float32, 0.5),
    "sum overflows float16": ((3, 16), 6.7, 2e4, torch.float16, 1e-5),
    "bfloat16": ((4, 32), 2.2, 1, torch.bfloat16, 1e-5),
}

NAMES = "q_proj", "k_proj", "v_proj", "out_proj", "fc1", "fc2"


def draw(shape, scale=1.0, dtype=torch.float32):
    """x and fx [*shape], about as large as each other; weight and bias [shape[-1]], the weight of both signs."""
    x, fx = torch.randn(2, *shape)
    weight = (torch.rand(shape[-1]) + 1.5) * torch.randn(shape[-1]).sign()
    return (scale * x).to(dtype), (scale * fx).to(dtype), weight.to(dtype), torch.randn(shape[-1]).to(dtype)


@pytest.mark.parametrize("case", MODELS)
def test_constants(check, case):
    check("deepnorm_constants", *MODELS[case])


@pytest.mark.parametrize("case", CASES)
def test_residual(check, case):
    shape, alpha, scale, dtype, eps = CASES[case]
    check("deep_norm", *draw(shape, scale, dtype), alpha, eps)


def test_eps_is_one_hundred_thousandth_by_default(check):
    check("deep_norm", *draw((3, 8), scale=1e-3), 2.0)


def test_non_contiguous_inputs(check):
    _, _, weight, bias = draw((5, 8))
    check("deep_norm", torch.randn(8, 5).T, torch.randn(8, 5).T, weight, bias, 2.5, 1e-8)


def test_gradients(check):
    check("deep_norm", *draw((3, 8)), 2.5, 1e-8, gradients=True)


@pytest.mark.parametrize("name", NAMES)
def test_init(check, name):
    check("init_std", name, *random.choice([(64, 256), (256, 64)]), 0.4)


@pytest.mark.hidden
def test_sizes_drawn_anew(check):
    """One call after the other, so that what one leaves behind is wrong for the next."""
    n, m = random.sample(range(7, 200), 2)
    for model in ("encoder", n, m), ("decoder", n, m), ("encoder", m, n), ("decoder", 0, n), ("encoder", m, 0):
        check("deepnorm_constants", *model)
    for dtype in torch.float32, random.choice([torch.float16, torch.bfloat16]), torch.float32:
        shape = *random.choices([2, 3], k=random.randint(1, 3)), random.randint(65, 130)
        eps = 10 ** random.uniform(-4, -1)
        check("deep_norm", *draw(shape, dtype=dtype), random.uniform(1.5, 6), eps, gradients=dtype == torch.float32)
    beta = random.uniform(0.1, 0.6)
    for name in random.sample(NAMES, 6):
        check("init_std", name, random.randint(10, 500), random.randint(10, 500), beta)


@reference("deepnorm_constants")
def table(side, n, m):
    """By logarithms: the natural one of each factor, times its power."""
    log_n, log_m = (torch.log(torch.tensor(float(max(each, 1)))) for each in (n, m))
    if min(n, m) == 0:
        log = log_n + log_m
        alpha, beta = (log + torch.tensor(2.0).log()) / 4, -(log + torch.tensor(8.0).log()) / 4
    elif side == "encoder":
        log = log_n / 4 + log_m / 16
        alpha, beta = torch.tensor(0.81).log() + log, torch.tensor(0.87).log() - log
    else:
        alpha, beta = (log_m + torch.tensor(3.0).log()) / 4, -(log_m + torch.tensor(12.0).log()) / 4
    return alpha.exp().item(), beta.exp().item()


@reference("deep_norm", compute=torch.float32)
def definition(x, fx, weight, bias, alpha, eps=1e-5):
    z = alpha * x + fx
    centred = z - z.mean(-1, keepdim=True)
    return centred / torch.sqrt((centred * centred).mean(-1, keepdim=True) + eps) * weight + bias


@reference("init_std")
def xavier(name, fan_in, fan_out, beta):
    variance = torch.tensor(2.0) / (fan_in + fan_out)
    return (variance.sqrt() * (beta if name in ("v_proj", "out_proj", "fc1", "fc2") else 1.0)).item()


@mistake(blank="alone")
def counts_sublayers(n, m):
    if n == 0 or m == 0:
        sublayers = 2 * (n + m)
        return (2 * sublayers) ** 0.25, (8 * sublayers) ** -0.25


@mistake(blank="alone")
def square_roots(n, m):
    if n == 0 or m == 0:
        layers = n + m
        return (2 * layers) ** 0.5, (8 * layers) ** -0.5


@mistake(blank="alone")
def beta_grows(n, m):
    if n == 0 or m == 0:
        layers = n + m
        return (2 * layers) ** 0.25, (8 * layers) ** 0.25


@mistake(blank="alone")
def swaps_alpha_and_beta(n, m):
    if n == 0 or m == 0:
        layers = n + m
        return (8 * layers) ** -0.25, (2 * layers) ** 0.25


@mistake("deepnorm_constants")
def each_side_as_if_alone(side, n, m):
    layers = n if side == "encoder" else m
    return (2 * layers) ** 0.25, (8 * layers) ** -0.25


@mistake(blank="both")
def encoder_by_the_decoder_alone(side, n, m):
    if side == "encoder":
        return 0.81 * (n * m**4) ** (1 / 16), 0.87 * (n * m**4) ** (-1 / 16)
    return (3 * m) ** 0.25, (12 * m) ** -0.25


@mistake(blank="both")
def decoder_by_encoder_layers(side, n, m):
    if side == "encoder":
        return 0.81 * (n**4 * m) ** (1 / 16), 0.87 * (n**4 * m) ** (-1 / 16)
    return (3 * n) ** 0.25, (12 * n) ** -0.25


@mistake(blank="both")
def exchanges_the_sides(side, n, m):
    if side == "decoder":
        return 0.81 * (n**4 * m) ** (1 / 16), 0.87 * (n**4 * m) ** (-1 / 16)
    return (3 * m) ** 0.25, (12 * m) ** -0.25


@mistake(blank="residual")
def post_norm(x, fx):
    summed = x.float() + fx.float()


@mistake(blank="residual")
def alpha_on_the_sublayer(x, fx, alpha):
    summed = x.float() + alpha * fx.float()


@mistake(blank="residual")
def alpha_on_the_sum(x, fx, alpha):
    summed = alpha * (x.float() + fx.float())


@mistake(blank="residual")
def forgets_the_sublayer(x, alpha):
    summed = alpha * x.float()


@mistake(blank="residual", rounding=True)
def sums_in_half(x, fx, alpha):
    summed = (alpha * x + fx).float()


@mistake(blank="norm")
def forgets_to_normalise(x, summed, weight, bias):
    return (summed * weight.float() + bias.float()).to(x.dtype)


@mistake("deep_norm")
def normalises_the_sublayer_only(x, fx, weight, bias, alpha, eps=1e-5):
    normed = F.layer_norm(fx.float(), weight.shape, weight.float(), bias.float(), eps)  # noqa: F821
    return (alpha * x.float() + normed).to(x.dtype)


@mistake("deep_norm")
def normalises_the_input(x, fx, weight, bias, alpha, eps=1e-5):
    normed = F.layer_norm(x.float(), weight.shape, weight.float(), bias.float(), eps)  # noqa: F821
    return (alpha * normed + fx.float()).to(x.dtype)


@mistake(blank="norm")
def multiplies_by_root_d(x, summed, weight, bias, eps):
    normed = F.layer_norm(summed, weight.shape, weight.float(), bias.float(), eps)  # noqa: F821
    return (normed * x.shape[-1] ** 0.5).to(x.dtype)


@mistake(blank="norm")
def root_mean_square(x, summed, weight, bias, eps):
    normed = F.rms_norm(summed, weight.shape, weight.float(), eps)  # noqa: F821
    return (normed + bias.float()).to(x.dtype)


@mistake(blank="norm")
def unbiased_variance(x, summed, weight, bias, eps):
    variance, mean = summed.var(-1, keepdim=True), summed.mean(-1, keepdim=True)
    return ((summed - mean) / (variance + eps).sqrt() * weight.float() + bias.float()).to(x.dtype)


@mistake(blank="norm")
def ignores_eps(x, summed, weight, bias):
    return F.layer_norm(summed, weight.shape, weight.float(), bias.float()).to(x.dtype)  # noqa: F821


@mistake(blank="norm")
def returns_float32(summed, weight, bias, eps):
    return F.layer_norm(summed, weight.shape, weight.float(), bias.float(), eps)  # noqa: F821


@mistake(blank="gain")
def beta_everywhere(beta):
    gain = beta


@mistake(blank="gain")
def beta_nowhere():
    gain = 1.0


@mistake(blank="gain")
def beta_where_it_looks(name, beta):
    gain = beta if name in ("q_proj", "k_proj") else 1.0


@mistake(blank="gain")
def beta_not_for_values(name, beta):
    gain = 1.0 if name in ("q_proj", "k_proj", "v_proj") else beta


@mistake(blank="xavier")
def kaiming(gain, fan_in):
    return gain * (2 / fan_in) ** 0.5


@mistake(blank="xavier")
def bound_of_the_uniform(gain, fan_in, fan_out):
    return gain * (6 / (fan_in + fan_out)) ** 0.5


@mistake(blank="xavier")
def variance_for_deviation(gain, fan_in, fan_out):
    return gain * 2 / (fan_in + fan_out)


@mistake(blank="xavier")
def gain_in_the_variance(gain, fan_in, fan_out):
    return (gain * 2 / (fan_in + fan_out)) ** 0.5
