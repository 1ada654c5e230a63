"""The kit's model beside transformers' GPT-2, and what `generate` makes of it beside the exercises that generate."""

import re
from collections import Counter

import pytest
import torch
from transformers import GPT2Config, GPT2LMHeadModel
from transformers.generation.logits_process import NoRepeatNGramLogitsProcessor

from clozekit import tiny_lm

VOCAB = 29

# What the machines of constrained_decoding accept.
EXPRESSIONS = {
    "a number": r"-?(0|[1-9][0-9]*)(\.[0-9]+)?",
    "a list of booleans": r"\[([tf](,[tf])*)?\]",
    "a word again and again": r"(ab|aab)*",
    "two words": r"yes|no",
}


def gpt2(parameters):
    """The library's model with the same weights, in float64; its biases are zero and its norms do not scale."""
    config = GPT2Config(
        vocab_size=len(parameters["head"]), n_positions=tiny_lm.MAX_LEN, n_embd=tiny_lm.D_MODEL,
        n_layer=(len(parameters) - 3) // 4, n_head=tiny_lm.NUM_HEADS,
        tie_word_embeddings=False, bos_token_id=None, eos_token_id=None,
    )  # fmt: skip
    theirs = GPT2LMHeadModel(config).double().eval()
    names = {"tokens": "transformer.wte.weight", "positions": "transformer.wpe.weight"}
    parts = {"qkv": "attn.c_attn", "out": "attn.c_proj", "up": "mlp.c_fc", "down": "mlp.c_proj"}
    state = {name: torch.ones_like(x) if ".ln_" in name and name.endswith("weight") else torch.zeros_like(x)
             for name, x in theirs.state_dict().items()}  # fmt: skip
    for name, x in parameters.items():
        if name.startswith("blocks."):
            _, number, part = name.split(".")
            state[f"transformer.h.{number}.{parts[part]}.weight"] = x.double().T  # Conv1D is transposed
        else:
            state[names.get(name, "lm_head.weight")] = x.double()
    theirs.load_state_dict(state)
    return theirs


@pytest.fixture
def pair(kit):
    """Parameters, ours with them, theirs with them."""
    parameters = tiny_lm.draw(VOCAB, blocks=2)
    ours = tiny_lm.TinyLM(VOCAB, blocks=2)
    ours.load_state_dict(parameters)
    return parameters, ours, gpt2(parameters)


@torch.no_grad()
def test_the_logits_are_those_of_gpt2(pair):
    parameters, _, theirs = pair
    ids = torch.randint(0, VOCAB, (11,))
    torch.testing.assert_close(tiny_lm.built(parameters)(ids[None])[0], theirs(ids[None]).logits[0])


@torch.no_grad()
def test_greedy_decode(kit, pair):
    solution, grader = kit("sampling/greedy_decode")
    parameters, ours, theirs = pair
    for t in (1, 4, 9):
        ids = torch.randint(0, VOCAB, (t,))
        free, _ = grader.definition(parameters, ids.tolist(), 12)
        for eos in (free[5], free[0], VOCAB - 1):
            whole = theirs.generate(ids[None], max_new_tokens=12, do_sample=False, eos_token_id=eos, pad_token_id=eos)
            wanted = whole[0, t:].tolist()
            assert solution.greedy_decode(ours, ids, 12, eos) == wanted
            assert grader.definition(parameters, ids.tolist(), 12, eos)[0] == wanted


@torch.no_grad()
@pytest.mark.parametrize("options", [(1.0, 0, 1.0), (1.7, 6, 1.0), (2.0, 0, 0.7), (2.5, 9, 0.6), (1.0, 1, 1.0)])
def test_generation_loop(options, kit, pair, monkeypatch):
    """generate draws by torch.multinomial, in whose place the uniform numbers are put."""
    solution, _ = kit("sampling/generation_loop")
    _, ours, theirs = pair
    temperature, top_k, top_p = options
    for seed in range(4):
        torch.manual_seed(seed)
        ids, pad, stop = torch.randint(0, VOCAB - 1, (3, 6)), VOCAB - 1, [3, 8]
        mask = torch.arange(6) >= torch.tensor([[0], [4], [2]])
        uniforms = torch.rand(3, 15)
        columns = iter(uniforms.T)

        def draw(probs, num_samples, columns=columns):
            return (probs.cumsum(dim=-1) <= next(columns)[:, None]).sum(dim=-1, keepdim=True)

        monkeypatch.setattr(torch, "multinomial", draw)
        wanted = theirs.generate(
            ids, attention_mask=mask.long(), max_new_tokens=15, do_sample=True, temperature=temperature,
            top_k=top_k, top_p=top_p, eos_token_id=stop, pad_token_id=pad,
        )  # fmt: skip
        assert torch.equal(solution.generate(ours, ids, mask, uniforms, stop, pad, *options), wanted)


@torch.no_grad()
@pytest.mark.parametrize("case", ["a number", "a list of booleans", "a word again and again", "two words"])
def test_constrained_decoding(case, kit):
    """generate with a function that says which tokens may follow, found by trying all texts with re."""
    solution, grader = kit("sampling/constrained_decoding")
    fsm, start, finals, vocab = grader.MACHINES[case]
    index, eos = solution.build_index(fsm, vocab), vocab.index(grader.EOS)
    assert index == grader.read(fsm, vocab)
    for _ in range(5):
        parameters = tiny_lm.draw(len(vocab))
        ours, ids = tiny_lm.TinyLM(len(vocab)), torch.randint(0, len(vocab), (3,))
        ours.load_state_dict(parameters)

        def allowed(_, text, index=index, ids=ids):
            state = start
            for token in text[len(ids) :].tolist():
                state = index[state][token]
            return [*index[state], *([eos] if state in finals else [])]

        whole = gpt2(parameters).generate(
            ids[None], max_new_tokens=12, do_sample=False, eos_token_id=eos, pad_token_id=eos,
            prefix_allowed_tokens_fn=allowed,
        )  # fmt: skip
        new = solution.constrained_decode(ours, ids, index, start, finals, eos, 12)
        assert new == whole[0, len(ids) :].tolist()
        if new[-1] == eos:
            assert re.fullmatch(EXPRESSIONS[case], "".join(vocab[token] for token in new))


@pytest.mark.parametrize("n", [1, 2, 3, 5])
def test_no_repeat_ngram(n, kit):
    solution, grader = kit("sampling/no_repeat_ngram")
    processor = NoRepeatNGramLogitsProcessor(n)
    for length in (1, 2, 5, 40):
        ids = torch.randint(0, 4, (1, length))
        logits = torch.randn(1, 6)
        blocker = solution.NoRepeatNGram(n, ids[0].tolist())
        wanted = processor(ids, logits)[0]
        assert torch.equal(blocker.block(logits[0]), wanted)
        assert grader.definition(ids[0].tolist(), n) == set(wanted.isinf().nonzero()[:, 0].tolist())


def test_ensemble_decoding(kit):
    """torch.distributions' mixture of one distribution for each place."""
    solution, _ = kit("sampling/ensemble_decoding")
    logits, weights = torch.randn(3, 4, 7), torch.tensor([0.5, 0.2, 0.3])
    each = torch.distributions.Categorical(logits=logits.transpose(0, 1))
    theirs = torch.distributions.MixtureSameFamily(torch.distributions.Categorical(weights.expand(4, 3)), each)
    wanted = torch.stack([theirs.log_prob(torch.full((4,), v)) for v in range(7)], dim=1)
    torch.testing.assert_close(solution.ensemble_log_probs(logits, weights, "mixture"), wanted)
    product = (torch.softmax(logits, -1) ** weights[:, None, None]).prod(dim=0)
    product = (product / product.sum(-1, keepdim=True)).log()
    torch.testing.assert_close(solution.ensemble_log_probs(logits, weights, "product"), product)


def test_self_consistency(kit):
    """collections.Counter, whose most common of equals is the one that came first."""
    solution, grader = kit("sampling/self_consistency")
    for _ in range(50):
        answers = [str(int(x)) for x in torch.randint(0, 4, (9,))]
        wanted = float(Counter(answers).most_common(1)[0][0])
        assert solution.self_consistency(grader.say(*answers)) == wanted
        assert grader.most(grader.say(*answers)) == wanted
