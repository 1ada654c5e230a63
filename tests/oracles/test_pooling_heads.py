"""models/pooling_heads beside transformers' BertForSequenceClassification and LlamaForSequenceClassification."""

import pytest
import torch
from transformers import BertConfig, LlamaConfig
from transformers.models.bert.modeling_bert import BertForSequenceClassification
from transformers.models.llama.modeling_llama import LlamaForSequenceClassification

RIGHT = torch.tensor([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0], [1, 0, 0, 0, 0]], dtype=torch.bool)


def test_classes_of_a_bert(kit):
    """Its pooler takes place 0: padding stands on the right."""
    solution, _ = kit("models/pooling_heads")
    sizes = {"hidden_size": 12, "num_attention_heads": 3, "num_hidden_layers": 1, "intermediate_size": 16}
    model = BertForSequenceClassification(BertConfig(vocab_size=20, num_labels=4, **sizes)).eval()
    head = solution.ClassificationHead(12, 4)
    head.dense.load_state_dict(model.bert.pooler.dense.state_dict())
    head.out.load_state_dict(model.classifier.state_dict())
    ids = torch.randint(0, 20, RIGHT.shape)
    theirs = model(ids, attention_mask=RIGHT.long(), output_hidden_states=True)
    torch.testing.assert_close(head(theirs.hidden_states[-1], RIGHT), theirs.logits)


@pytest.mark.parametrize("mask", [RIGHT, RIGHT.flip(1)], ids=["right", "left"])
def test_scores_of_a_llama(kit, mask):
    """It finds the last real token by the number of its padding token."""
    solution, _ = kit("models/pooling_heads")
    sizes = {"hidden_size": 12, "num_attention_heads": 3, "num_hidden_layers": 1, "intermediate_size": 16}
    model = LlamaForSequenceClassification(LlamaConfig(vocab_size=20, num_labels=1, pad_token_id=0, **sizes)).eval()
    head = solution.ScalarHead(12)
    head.out.load_state_dict(model.score.state_dict())
    ids = torch.randint(1, 20, mask.shape).masked_fill(~mask, 0)
    h = model.model(ids, attention_mask=mask.long()).last_hidden_state
    theirs = model(ids, attention_mask=mask.long()).logits
    torch.testing.assert_close(head(h, mask), theirs[:, 0])
