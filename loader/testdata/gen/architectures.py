"""Exports what the export tests of transformers and PyTorch export, and writes the lists in docs/coverage.md.

    architectures.py --octet ./octet [--docs docs/coverage.md] [--results FILE] [NAME...]

Of transformers it takes each architecture of MODEL_MAPPING, of whose configuration it makes a small one by rules for the names of
attributes; of PyTorch the examples of torch._export.db. Each is exported, run by octet, and compared within 1e-4 of the largest
element. What PyTorch cannot build, call or export is named with its first error. With --results a later run goes on from there.
Runs in development, not in CI; it takes an hour.
"""

import gc
import importlib
import inspect
import json
import os
import re
import signal
import tempfile
import warnings

import numpy as np
import torch
import transformers
from torch.utils import _pytree as pytree
from transformers.models.auto import configuration_auto, modeling_auto

from families import agrees, run, seeded
from zoo import arguments, keep, kept, randomize, shortened, write_docs
from zoo_exported import tensors

warnings.filterwarnings("ignore")
transformers.logging.set_verbosity_error()
SECONDS = 120  # of one architecture
LARGEST = 60e6  # parameters

# What attributes of a small configuration are, by their names; the first rule that matches counts.
RULES = [
    (r"(q|kv)_lora_rank|o_lora_rank", 16),
    (r"qk_nope_head_dim|qk_rope_head_dim|v_head_dim|.*head_dim|d_kv|.*_head_size|kv_channels|attention_head_size", 8),
    (r".*num_(key_value|kv)_heads|num_global_key_value_heads|n_head_kv", 2),
    (r".*num_.*attention_heads|n_heads?|.*num_heads|.*_attention_heads|attention_heads|mamba_n_heads", 4),
    (r"num_experts_per_tok|top_k|topk|moe_top_?k|moe_k", 2),
    (r"n_group|topk_group|n_shared_experts|num_nextn_predict_layers|first_k_dense_replace|moe_num_shared_experts", 1),
    (r".*num_.*experts|n_routed_experts", 4),
    (r".*(intermediate|ffn_hidden)_size|.*_ffn_dim|ffn_dim|d_ff|ffn_size|n_inner|moe_.*_size|feed_forward_.*size|d_inner|mlp_dim", 48),
    (r".*(num_.*layers|n_layers?|_layers|num_hidden_blocks|num_blocks)|layers|depth", 2),
    (r".*vocab_size", 99),
    (r".*max_position_embeddings|n_positions|max_source_positions|max_target_positions|seq_length|max_seq_len|max_sequence_length", 64),
    (r".*image_size|input_size", 32),
    (r"num_pos_feats", 16),
    (r".*(hidden_size|hidden_dim|d_model|n_embd|embed_dim|embed_dims|embedding_size|embedding_dim|projection_dim|encoder_dim|decoder_dim|feature_size|out_hidden_size|output_dim)|dim|width|d_embed", 32),
    (r"(mamba_|ssm_)?(d_)?state_size|mamba_d_state|ssm_state_size", 8),
]
IDS = re.compile(r".*(_token_id|_token_index|_id|_ids)$")


def shrink(config):
    """Makes a configuration small, and what it holds."""
    for key, value in list(vars(config).items()):
        if isinstance(value, transformers.PretrainedConfig):
            shrink(value)
        elif isinstance(value, bool) or key.startswith("_"):
            continue
        elif isinstance(value, int) and IDS.match(key):
            if value >= 99:
                setattr(config, key, 3 + sum(key.encode()) % 25)
        elif isinstance(value, int):
            small = next((s for pattern, s in RULES if re.fullmatch(pattern, key)), value)
            if small < value:
                setattr(config, key, small)
        elif key == "layer_types" and value:
            config.layer_types = [value[0], next((t for t in value if t != value[0]), value[0])]
        elif key in ("depths", "layer_depths") and isinstance(value, (list, tuple)):
            setattr(config, key, [1 for _ in value])
    if hasattr(config, "use_cache"):
        config.use_cache = False
    return config


class Named(torch.nn.Module):
    """Calls a model by the names of its inputs and returns its floating-point tensors."""

    def __init__(self, model, names):
        super().__init__()
        self.model, self.names = model, names

    def forward(self, *args):
        out = self.model(**dict(zip(self.names, args)))
        return tuple(tensors(out if isinstance(out, (tuple, torch.Tensor)) else {k: v for k, v in out.items()}))


def number(config, *names, default):
    for c in [config] + [v for v in vars(config).values() if isinstance(v, transformers.PretrainedConfig)]:
        for n in names:
            v = getattr(c, n, None)
            if isinstance(v, (list, tuple)) and v and isinstance(v[0], int):
                v = v[0]
            if isinstance(v, int):
                return v
    return default


def candidates(config, parameters):
    """Inputs that a model may take, by their names, the likeliest first."""
    ids = torch.randint(30, 90, (2, 8))
    size = number(config, "image_size", default=64)
    channels = number(config, "num_channels", default=3)
    frames = number(config, "num_frames", "frames_per_clip", default=8)
    mel = number(config, "num_mel_bins", "feature_size", "n_mels", "input_dim", default=80)
    text = {"input_ids": ids, "attention_mask": torch.ones(2, 8, dtype=torch.int64)}
    decoder = {"decoder_input_ids": ids[:, :6].contiguous()} if config.is_encoder_decoder else {}
    pictures = torch.randn(2, channels, size, size)
    video = torch.randn(2, frames, channels, size, size)
    sound, window = torch.randn(2, 4000), 2 * number(config, "max_source_positions", default=32)
    options = [
        {**text, "pixel_values": pictures}, text, {"input_ids": ids}, {**text, **decoder}, {"pixel_values": pictures}, {"pixel_values": torch.randn(2, channels, 224, 224)},
        {"pixel_values": video}, {"pixel_values_videos": video}, {**text, "pixel_values": video},
        {"input_values": sound}, {"input_values": torch.randn(2, 1, 4000)}, {"input_features": torch.randn(2, mel, window), **decoder},
        {"input_features": torch.randn(2, 64, mel), **decoder}, {"input_values": torch.randn(2, number(config, "max_length", default=64), mel)},
        {**text, "bbox": torch.randint(0, 60, (2, 8, 1)).expand(2, 8, 4).contiguous()},
        {"past_values": torch.randn(2, number(config, "context_length", default=32), number(config, "num_input_channels", default=1))},
        {"hidden_states": torch.randn(2, 16, number(config, "hidden_size", default=32))},
    ]
    for o in options:
        if all(n in parameters for n in o):
            yield o


def build(model_type):
    """The module of an architecture, small, and inputs that it takes."""
    name = modeling_auto.MODEL_MAPPING_NAMES[model_type]
    name = name if isinstance(name, str) else name[0]
    config = shrink(getattr(transformers, configuration_auto.CONFIG_MAPPING_NAMES[model_type])())
    cls = getattr(transformers, name)
    with torch.device("meta"):
        size = sum(p.numel() for p in cls(config).parameters())
    if size > LARGEST:
        raise ValueError(f"too large: {size / 1e6:.0f} M parameters by the rules")
    torch.manual_seed(0)
    model = cls(config).eval()
    randomize(model)  # routers of zeros make all experts equal
    parameters, reason = inspect.signature(model.forward).parameters, "no inputs that it is known to take"
    for inputs in candidates(config, parameters):
        module = Named(model, list(inputs))
        try:
            with torch.no_grad():
                out = module(*inputs.values())
            if out and all(torch.isfinite(t).all() for t in out):
                return module, tuple(inputs.values())
        except Exception as e:
            reason = f"{type(e).__name__}: {e}"
    raise ValueError(reason)


def export(model_type, folder):
    module, inputs = build(model_type)
    yield "export"
    torch.backends.mha.set_fastpath_enabled(False)
    shapes = (tuple({0: torch.export.Dim.AUTO} for _ in inputs),)
    try:
        program = torch.export.export(module, inputs, dynamic_shapes=shapes, strict=False)
    except Stopped:
        raise
    except Exception:
        program = torch.export.export(module, inputs, strict=False)
    path = os.path.join(folder, "model.pt2")
    torch.export.save(program, path)
    yield path, program, inputs, seeded(program.module(), inputs)


def example(case, folder):
    """One of PyTorch's examples, with its arguments."""
    yield "export"
    program = torch.export.export(case.model, case.example_args, case.example_kwargs, dynamic_shapes=case.dynamic_shapes, strict=False)
    path = os.path.join(folder, "model.pt2")
    torch.export.save(program, path)
    leaves = pytree.tree_leaves((case.example_args, case.example_kwargs))
    with torch.no_grad():
        want = pytree.tree_leaves(program.module()(*pytree.tree_map(lambda x: x.clone() if isinstance(x, torch.Tensor) else x, case.example_args), **case.example_kwargs))
    yield path, program, [l for l in leaves if isinstance(l, torch.Tensor)], [np.asarray(w) for w in want if w is not None]


class Stopped(Exception):
    pass


def stop(*_):
    raise Stopped(f"not done in {SECONDS} s")


def check(steps, octet, folder):
    """At which stage it ended, and why: build, export, octet, or ok with the largest difference."""
    stage = "build"
    signal.alarm(SECONDS)
    try:
        for step in steps:
            if isinstance(step, str):
                stage = step
                continue
            path, program, inputs, want = step
            signal.alarm(0)
            stage = "octet"
            names = [n for n in program.graph_signature.user_inputs if isinstance(n, str)]
            given = {n: np.array(x.numpy(), order="C") for n, x in zip(names, inputs)}
            d = run(octet, path, folder, given, want)
            return {"stage": "ok" if agrees(d) else "differs", "difference": d}
    except (Exception, SystemExit) as e:
        return {"stage": stage, "why": f"{type(e).__name__}: {e}"[:500]}
    finally:
        signal.alarm(0)


def main():
    parser = arguments()
    args = parser.parse_args()
    known = kept(args.results)
    signal.signal(signal.SIGALRM, stop)
    examples = importlib.import_module("torch._export.db.examples").all_examples()
    work = {"example/" + n: lambda folder, c=c: example(c, folder) for n, c in examples.items()}
    work |= {n: lambda folder, n=n: export(n, folder) for n in modeling_auto.MODEL_MAPPING_NAMES if n in configuration_auto.CONFIG_MAPPING_NAMES}
    for name in args.names or work:
        if not args.names and name in known:
            continue
        torch.manual_seed(0)
        with tempfile.TemporaryDirectory() as folder:
            known[name] = check(work[name](folder), os.path.abspath(args.octet), folder)
        print(name, json.dumps(known[name]), flush=True)
        gc.collect()
        keep(args.results, known)
    if args.docs:
        write_docs(args.docs, "architectures", table(known))


# Kinds of what is left out: the stage, what its reason says, and the kind.
KINDS = [
    ("octet", "", "octet refuses it"),
    ("differs", "", "octet's result differs"),
    ("build", r"ImportError|requires the .* librar|No module named", "needs a library that was not installed"),
    ("build", r"Stopped", f"took more than {SECONDS} s"),
    ("build", "", "not tried: the rules make no small configuration of it, or no inputs"),
    ("export", r"Stopped", f"took more than {SECONDS} s"),
    ("export", r"[Dd]ata.?[Dd]ependent|u\d+|\.item\(\)|\.tolist\(\)", "PyTorch does not export it: shapes or conditions follow from values"),
    ("export", "", "PyTorch does not export it, or not save it"),
]


def kind(r):
    return next(k for stage, pattern, k in KINDS if r["stage"] == stage and re.search(pattern, r.get("why", "")))


def table(results):
    """What runs and what is left out, by kind."""
    lines = []
    for what, wanted in ("architectures of transformers", False), ("examples of `torch._export.db`", True):
        group = {n.removeprefix("example/"): r for n, r in results.items() if n.startswith("example/") == wanted}
        good = sorted(n for n, r in group.items() if r["stage"] == "ok")
        lines += [f"{len(good)} of {len(group)} {what} run: {', '.join(good)}.", "", "| left out | which |", "|---|---|"]
        for k in dict.fromkeys(k for _, _, k in KINDS):
            left = sorted((n, r) for n, r in group.items() if r["stage"] != "ok" and kind(r) == k)
            named = (f"{n} ({shortened(r.get('why', r.get('difference')))})" if k.startswith("octet") else n for n, r in left)
            if left:
                lines.append(f"| {k} | {len(left)}: {', '.join(named)} |")
        lines.append("")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
