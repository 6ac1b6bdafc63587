"""Writes folders of Hugging Face with small random models of BERT's family, and what transformers computes with them.

    python3 hub.py OUT      # transformers 5.12, PyTorch 2.14; OUT is the folder testdata/hub
"""
import json, os, sys

import torch
import transformers as tf
from safetensors.torch import load_file, save_file

out = sys.argv[1]
sizes = dict(vocab_size=60, hidden_size=16, num_hidden_layers=2, num_attention_heads=4, intermediate_size=24, max_position_embeddings=160, hidden_act="gelu")
distil = dict(vocab_size=60, dim=16, n_layers=2, n_heads=4, hidden_dim=24, max_position_embeddings=160)
families = {
    "bert": (tf.BertConfig, sizes, "Bert"), "distilbert": (tf.DistilBertConfig, distil, "DistilBert"),
    "roberta": (tf.RobertaConfig, dict(sizes, type_vocab_size=1), "Roberta"), "xlm-roberta": (tf.XLMRobertaConfig, dict(sizes, type_vocab_size=1, pad_token_id=1), "XLMRoberta"),
    "camembert": (tf.CamembertConfig, dict(sizes, type_vocab_size=1), "Camembert"), "mpnet": (tf.MPNetConfig, sizes, "MPNet"),
}
heads = {"model": "Model", "sequence": "ForSequenceClassification", "token": "ForTokenClassification"}


def inputs(pad, long):
    g = torch.Generator().manual_seed(5)
    ids = torch.randint(5, 60, (3, 150 if long else 9), generator=g)
    mask = torch.ones_like(ids)
    for row, n in ((1, 4), (2, 1)):
        ids[row, -n:], mask[row, -n:] = pad, 0
    types = torch.zeros_like(ids)
    types[:, 3:5] = 1
    return ids, mask, types


def record(dir, model, pool=None, normalize=False):
    pad = model.config.pad_token_id or 0
    cases = []
    for long in (False, True) if "mpnet" in dir and "model" in dir else (False,):
        ids, mask, types = inputs(pad, long)
        feed = dict(input_ids=ids, attention_mask=mask)
        if model.config.model_type == "bert":
            feed["token_type_ids"] = types
        with torch.no_grad():
            y = model(**feed)
        if pool:
            y = {"sentence_embedding": pool(y.last_hidden_state, mask)}
            if normalize:
                y = {k: torch.nn.functional.normalize(v, p=2, dim=1) for k, v in y.items()}
        case = {"inputs": {k: v.tolist() for k, v in feed.items()}, "outputs": {}}
        for k in y.keys():
            v = y[k]
            if long:
                v = v[:, ::30]
            case["outputs"][k] = {"shape": list(v.shape), "values": [float("%.8g" % x) for x in v.flatten().tolist()]}
        if long:
            case["every"] = 30
        cases.append(case)
    json.dump(cases, open(dir + "/outputs.json", "w"), separators=(",", ":"))


def make(name, head, seed=0, save=True, **extra):
    kind, kw, cls = families[name]
    torch.manual_seed(seed)
    model = getattr(tf, cls + heads[head])(kind(**kw, **extra)).eval()
    for p in model.parameters():
        torch.nn.init.normal_(p, std=0.3)
    dir = f"{out}/{name}-{head}"
    model.save_pretrained(dir)
    return dir, model


for name in families:
    for head in heads:
        if name == "camembert" and head != "model":
            continue
        extra = {} if head == "model" else {"id2label": {0: "no", 1: "yes", 2: "perhaps"}, "label2id": {"no": 0, "yes": 1, "perhaps": 2}}
        record(*make(name, head, **extra))

# Folders of sentence-transformers.
def mean(x, m):
    m = m[:, :, None].float()
    return (x * m).sum(1) / m.sum(1).clamp(min=1e-9)


def highest(x, m):
    return x.masked_fill(m[:, :, None] == 0, -1e9).max(1).values


def root(x, m):
    m = m[:, :, None].float()
    return (x * m).sum(1) / m.sum(1).clamp(min=1e-9).sqrt()


flags = {"cls_token": lambda x, m: x[:, 0], "max_tokens": highest, "mean_tokens": mean, "mean_sqrt_len_tokens": root}
for name, modes, normalize in (("bert", ["mean_tokens"], True), ("mpnet", ["mean_tokens"], True), ("distilbert", ["cls_token", "mean_tokens"], False), ("roberta", ["max_tokens", "mean_sqrt_len_tokens"], True), ("xlm-roberta", ["cls_token"], True)):
    dir, model = make(name, "model")
    record(dir, model)  # the last seed again
    new = f"{out}/{name}-sentence"
    model.save_pretrained(new)
    os.makedirs(new + "/1_Pooling", exist_ok=True)
    json.dump({"word_embedding_dimension": 16, **{"pooling_mode_" + k: k in modes for k in flags}}, open(new + "/1_Pooling/config.json", "w"))
    modules = [("", "Transformer"), ("1_Pooling", "Pooling")] + [("2_Normalize", "Normalize")] * normalize
    json.dump([{"idx": i, "name": str(i), "path": p, "type": "sentence_transformers.models." + t} for i, (p, t) in enumerate(modules)], open(new + "/modules.json", "w"))
    record(new, model, lambda x, m: torch.cat([flags[k](x, m) for k in flags if k in modes], 1), normalize)

# The forms that files have: torch.save, names of TensorFlow, a model for masked words, half precision.
dir, model = make("bert", "model", seed=1)
w = load_file(dir + "/model.safetensors")
old = f"{out}/bert-old"
os.makedirs(old, exist_ok=True)
torch.save({"bert." + k.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta"): v for k, v in w.items()} | {"cls.predictions.bias": torch.zeros(60)}, old + "/pytorch_model.bin")
c = json.load(open(dir + "/config.json"))
c["architectures"] = ["BertForMaskedLM"]
json.dump(c, open(old + "/config.json", "w"))
record(old, model)
half = f"{out}/bert-half"
os.makedirs(half, exist_ok=True)
save_file({k: v.half() for k, v in w.items()}, half + "/model.safetensors")
json.dump(dict(c, architectures=["BertModel"]), open(half + "/config.json", "w"))
model.load_state_dict({k: v.half().float() for k, v in w.items()})
record(half, model)
make("bert", "model")  # that of above again
record(*make("bert", "model"))
