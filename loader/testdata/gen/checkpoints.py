"""Writes testdata/checkpoints: checkpoints as training programs save them, with tensors beside the state_dict.

want.json lists for each read of a file the key that is asked for, and the tensors that are wanted by name, or the keys
that the error names.
"""
import argparse
import collections
import json
import os

import torch

OUT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "checkpoints")
os.makedirs(OUT, exist_ok=True)
torch.manual_seed(7)
wants = []


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.enc = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.ReLU())
        self.head = torch.nn.Linear(2, 1)

    def forward(self, x):
        return self.head(self.enc(x))


def prefixed(sd, prefix):
    return collections.OrderedDict((prefix + k, v) for k, v in sd.items())


def trained(make=torch.optim.Adam):
    net = Net()
    opt = make(net.parameters(), lr=0.1)
    net(torch.ones(1, 2)).sum().backward()
    opt.step()
    return net, opt


def save(name, obj, **kwargs):
    torch.save(obj, os.path.join(OUT, name + ".pth"), **kwargs)


def want(name, tensors=None, key="", keys=None, reason=""):
    wants.append({"file": name + ".pth", "key": key, "keys": keys, "reason": reason,
                  "tensors": tensors and {k: v.flatten().tolist() for k, v in tensors.items()}})


net, opt = trained()
sd = net.state_dict()
ema = collections.OrderedDict((k, v * 0.5) for k, v in sd.items())

inner = prefixed(sd, "model.")
save("lightning", {
    "epoch": 3, "global_step": 12, "pytorch-lightning_version": "1.9.0", "state_dict": inner,
    "loops": {"fit_loop": {"state_dict": {}, "epoch_progress": {"total": {"ready": 1}}}},
    "callbacks": {"ModelCheckpoint{'monitor': 'val_loss'}": {"best_model_score": torch.tensor(0.25), "best_model_path": "a.ckpt"},
                  "EMA": {"weights": ema}},
    "optimizer_states": [opt.state_dict()], "lr_schedulers": [{"last_epoch": 3, "base_lrs": [0.1]}],
    "hparams_name": "kwargs", "hyper_parameters": {"lr": 0.1, ("a", 1): 2, "class_weight": torch.ones(3), "seen": {1, 2}, "big": 1 << 130}})
want("lightning", inner)

save("model_and_ema", {"model": sd, "model_ema": ema, "optimizer": opt.state_dict(), "epoch": 4})
want("model_and_ema", keys=["model", "model_ema"])
want("model_and_ema", sd, key="model")
want("model_and_ema", ema, key="model_ema")
want("model_and_ema", key="ema", keys=["model", "model_ema"])
save("state_dict_ema", {"state_dict": sd, "state_dict_ema": ema, "metric": torch.tensor(0.5)})
want("state_dict_ema", keys=["state_dict", "state_dict_ema"])
want("state_dict_ema", ema, key="state_dict_ema")
save("ema_only", {"ema": {"module": ema, "updates": torch.tensor(5)}, "epoch": 1})
want("ema_only", ema)
want("ema_only", ema, key="ema")
want("ema_only", ema, key="ema.module")

save("dataparallel_compiled", prefixed(sd, "module._orig_mod."))
want("dataparallel_compiled", sd)
save("compiled_dataparallel", {"model_state": prefixed(sd, "_orig_mod.module."), "best": torch.tensor(1.0)})
want("compiled_dataparallel", sd)
save("compiled_part", collections.OrderedDict((k.replace("enc.", "enc._orig_mod."), v) for k, v in sd.items()))
want("compiled_part", sd)
both = collections.OrderedDict([("_orig_mod.w.x", torch.ones(1)), ("w.x", torch.zeros(1))])
save("compiled_twice", both)
want("compiled_twice", both)
save("fsdp", collections.OrderedDict(
    ("_fsdp_wrapped_module." + k.replace("enc.", "enc._checkpoint_wrapped_module._fsdp_wrapped_module."), v) for k, v in sd.items()))
want("fsdp", sd)
save("averaged", collections.OrderedDict([("n_averaged", torch.tensor(3))] + list(prefixed(sd, "module.").items())))
want("averaged", sd)

save("uncommon_key", {"loss": torch.tensor(0.5), "step": torch.tensor(3), "my_net": sd, "optim_g": opt.state_dict(),
                      "grads": {k: torch.zeros_like(v) for k, v in sd.items()}})
want("uncommon_key", sd)
save("deep", {"trainer": {"step": torch.tensor(1), "agent": {"policy": sd, "rng_state": {"cpu": torch.zeros(4)}}}, "seed": 1})
want("deep", sd)
want("deep", sd, key="trainer.agent.policy")
want("deep", {"cpu": torch.zeros(4)}, key="trainer.agent.rng_state")
save("two", {"generator": sd, "discriminator": ema, "loss": torch.tensor(2.0)})
want("two", keys=["generator", "discriminator"])
want("two", sd, key="generator")
want("two", key="critic", keys=["generator", "discriminator"])
save("beside", {"enc.weight": torch.ones(2), "stats": {"mean": torch.zeros(2)}})
want("beside", {"enc.weight": torch.ones(2)})
save("own_and_other", {"enc.weight": torch.ones(2), "other": sd})
want("own_and_other", keys=["other", ""])
extra = collections.OrderedDict([("weight", torch.ones(2)), ("_extra_state", {"amax.a": torch.ones(1)})])
save("extra_state", extra)
want("extra_state", {"weight": torch.ones(2)})
save("namespace", {"state_dict": sd, "params": argparse.Namespace(lr=0.1), "args": {"w.x": torch.ones(1)}})
want("namespace", sd)
default = collections.defaultdict(list, sd)
save("defaultdict", {"net": default, "loss": torch.tensor(1.0)})
want("defaultdict", sd)

save("optimizer", opt.state_dict())
want("optimizer", reason="the state of an optimizer")
sgd = trained(lambda p, lr: torch.optim.SGD(p, lr=lr, momentum=0.9))[1]
save("optimizer_and_loss", {"optimizer": sgd.state_dict(), "loss": torch.tensor(0.5), "solver": opt.state_dict()})
want("optimizer_and_loss", reason="a dict without tensors")
for protocol in (2, 3, 4, 5):
    save("protocol%d" % protocol, {"state_dict": sd, "big": 1 << 70, "raw": bytearray(b"ab"), "seen": {1}, "fixed": frozenset([2])}, pickle_protocol=protocol)
    want("protocol%d" % protocol, sd)

with open(os.path.join(OUT, "want.json"), "w") as f:
    json.dump(wants, f, indent=0)
