"""Exports what the export tests of transformers and PyTorch export, and writes the lists in docs/coverage.md.

    architectures.py --octet ./octet [--docs docs/coverage.md] [--results FILE] [NAME...]

Of transformers it takes each architecture of MODEL_MAPPING, of whose configuration it makes a small one by rules for the names of
attributes, or else by one factor for all widths; of PyTorch the examples of torch._export.db. Each is exported, or traced where PyTorch
does not export it, run by octet, and compared within 1e-4 of the largest element. What PyTorch cannot build, call or save is named
with its first error. With --results a later run goes on from there, and NAME... runs those again. Runs in development, not in CI; it takes an hour.
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

from families import agrees, compared, exported, seeded, traced
from zoo import arguments, compare, keep, kept, randomize, shortened, write_docs
from zoo_exported import tensors

warnings.filterwarnings("ignore")
transformers.logging.set_verbosity_error()
SECONDS = 60  # of one architecture
LARGEST = 180e6  # parameters

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
COUNTS = r".*(num_.*layers|n_layers?|_layers|num_hidden_blocks|num_blocks)|layers|depth|num_layer"
WIDTHS = r".*(size|dim|dims|width|widths|channels|head|d_model|d_kv|d_ff|d_inner|embd|_section|sizes|rank|inner|filters|d_ssm|ch|hidden)"
KEPT_WIDTHS = r".*(vocab|image|patch|kernel|pool|crop|window|grid|chunk|block|batch|stride|merge|state|conv|spatial|tubelet|input|codebook)_?(size|sizes|dim)|in_channels|num_channels|audio_channels|.*_?num_.*|n_head.*|max_.*|n_positions|in_chans|size"


def by_rules(config):
    """Makes a configuration small by the names of its attributes."""
    for key, value in integers(config):
        small = next((s for pattern, s in RULES if re.fullmatch(pattern, key)), value)
        if isinstance(value, int) and small < value:
            setattr(config, key, small)


def by_factor(factor):
    """Divides all widths by one factor, so that sums and quotients of them stay what they are."""

    def divided(v):
        return max(v // factor, 1) if v % factor == 0 or v > 16 * factor else v

    def shrink_widths(config):
        for key, value in integers(config):
            if re.fullmatch(COUNTS, key) and isinstance(value, int):
                setattr(config, key, min(value, 2))
            elif re.fullmatch(r".*vocab_size|n_words", key):
                setattr(config, key, min(value, 99))
            elif re.fullmatch(r".*num_.*experts|n_routed_experts", key) and isinstance(value, int):
                setattr(config, key, min(value, 8))
            elif re.fullmatch(WIDTHS, key) and not re.fullmatch(KEPT_WIDTHS, key):
                setattr(config, key, divided(value) if isinstance(value, int) else type(value)(map(divided, value)))

    return shrink_widths


SHRINKS = [by_rules, *(by_factor(f) for f in (1, 4, 8, 16, 32))]


def integers(config):
    """The attributes of a configuration that are integers or lists of them, without those of tokens."""
    for key, value in list(vars(config).items()):
        if isinstance(value, bool) or key.startswith("_") or IDS.match(key):
            continue
        if isinstance(value, int) or isinstance(value, (list, tuple)) and value and all(type(v) is int for v in value):
            yield key, value


def shrink(config, widths):
    """Makes a configuration small, and what it holds."""
    for key, value in list(vars(config).items()):
        if isinstance(value, transformers.PretrainedConfig):
            shrink(value, widths)
        elif type(value) is int and IDS.match(key) and value >= 99:
            setattr(config, key, 3 + sum(key.encode()) % 25)
        elif key == "layer_types" and value:
            config.layer_types = [value[0], next((t for t in value if t != value[0]), value[0])]
        elif key in ("depths", "layer_depths") and isinstance(value, (list, tuple)):
            setattr(config, key, [1 for _ in value])
    widths(config)
    if hasattr(config, "qk_nope_head_dim") and hasattr(config, "qk_rope_head_dim"):
        config.qk_head_dim = config.qk_nope_head_dim + config.qk_rope_head_dim
        if hasattr(config, "num_key_value_heads"):
            config.num_key_value_heads = config.num_attention_heads
    if isinstance(getattr(config, "rotary_dim", None), int) and hasattr(config, "n_embd"):
        config.rotary_dim = min(config.rotary_dim, config.n_embd // config.n_head)
    if hasattr(config, "mamba_d_head") and hasattr(config, "mamba_n_heads"):
        inner = getattr(config, "mamba_d_ssm", None) or config.mamba_expand * config.hidden_size
        config.mamba_d_head = inner // config.mamba_n_heads
    rope, heads = getattr(config, "rope_parameters", None), getattr(config, "num_attention_heads", None)
    if isinstance(rope, dict) and "rope_theta" in rope and heads:  # parts of the positions of time, height and width
        half = int((getattr(config, "head_dim", None) or config.hidden_size // heads) * rope.get("partial_rotary_factor", 1)) // 2
        rope["mrope_section"] = [half - half // 4 * 2, half // 4, half // 4]
    for key, value in (("use_cache", False), ("use_mamba_kernels", False), ("default_language", "en_XX")):
        if hasattr(config, key):
            setattr(config, key, value)
    return config


# Arguments of configurations that have no usable default.
BACKBONE = {"use_timm_backbone": False, "use_pretrained_backbone": False, "backbone": None}
SET = {
    "autoformer": {"prediction_length": 8, "context_length": 16, "lags_sequence": [1, 2], "num_time_features": 2},
    "informer": {"prediction_length": 8, "context_length": 16, "lags_sequence": [1, 2], "num_time_features": 2},
    "time_series_transformer": {"prediction_length": 8, "context_length": 16, "lags_sequence": [1, 2], "num_time_features": 2},
    "deepseek_v2": {"topk_group": 1, "n_group": 1, "num_experts_per_tok": 2, "n_routed_experts": 4},
    "dots1": {"n_routed_experts": 4, "n_shared_experts": 1, "num_experts_per_tok": 2, "n_group": 1, "topk_group": 1},
    "esm": {"vocab_size": 99, "mask_token_id": 4, "pad_token_id": 1},
    "hunyuan_v1_dense": {"head_dim": 128},
    "hunyuan_v1_moe": {"head_dim": 128, "moe_topk": 2, "num_experts": 4},
}


def initial(model_type):
    """The configuration of an architecture before it is made small."""
    cls, given = getattr(transformers, configuration_auto.CONFIG_MAPPING_NAMES[model_type]), SET.get(model_type, {})
    sources = " ".join(inspect.getsource(c) for c in cls.__mro__[:1])
    if "use_timm_backbone" in sources:
        small = transformers.ResNetConfig(embedding_size=16, hidden_sizes=[16, 16, 16, 16], depths=[1, 1, 1, 1], out_features=["stage2", "stage3", "stage4"])
        if model_type in ("detr", "conditional_detr", "dab-detr", "table-transformer"):
            small.out_features = ["stage4"]
        given = {**BACKBONE, "backbone_config": small, **given}
    return cls(**given)


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
    hidden = number(config, "hidden_size", "d_model", "n_embd", default=32)
    patch = number(config, "patch_size", default=14)
    past = number(config, "context_length", default=32) + max(getattr(config, "lags_sequence", None) or [0])
    series = {"past_values": torch.randn(2, past), "past_time_features": torch.randn(2, past, 2), "past_observed_mask": torch.ones(2, past)}
    future = number(config, "prediction_length", default=8)
    required = [n for n, p in parameters.items() if p.default is p.empty and p.kind is p.POSITIONAL_OR_KEYWORD]
    grid = torch.tensor([[1, 4, 4], [1, 4, 8]])
    rows = torch.randn(48, channels * number(config, "temporal_patch_size", default=1) * patch * patch)
    known = {
        "grid_thw": grid, "merge_sizes": torch.tensor([1, 1]), "qformer_input_ids": ids, "qformer_attention_mask": text["attention_mask"],
        "pixel_position_ids": torch.stack(torch.meshgrid(torch.arange(4), torch.arange(4), indexing="ij"), -1).reshape(1, 16, 2).repeat(2, 1, 1),
        "visual_feats": torch.randn(2, 6, number(config, "visual_feat_dim", default=32)), "visual_pos": torch.rand(2, 6, 4),
        "past_values_padding": torch.zeros(2, past, dtype=torch.int64), "freq": torch.zeros(2, 1, dtype=torch.int64),
        "decoder_input_ids": ids[:, :6].contiguous(), "input_features_mask": torch.ones(2, 64, dtype=torch.bool), "query_embeds": torch.randn(2, 6, hidden),
        "encoder_hidden_states": torch.randn(2, 6, hidden), "padding_mask": torch.ones(2, 8, 1), "pixel_values_videos": video, "padding_positions": torch.zeros(2, 16, dtype=torch.bool),
        **text, "pixel_values": pictures, "inputs_embeds": torch.randn(2, 8, hidden), "bbox": torch.randint(0, 60, (2, 8, 1)).expand(2, 8, 4).contiguous(),
    }
    options = [
        {**text, "pixel_values": pictures}, text, {"input_ids": ids}, {**text, **decoder}, {"pixel_values": pictures}, {"pixel_values": torch.randn(2, channels, 224, 224)},
        {"pixel_values": video}, {"pixel_values_videos": video}, {**text, "pixel_values": video},
        {"input_values": sound}, {"input_values": torch.randn(2, 1, 4000)}, {"input_features": torch.randn(2, mel, window), **decoder},
        {"input_features": torch.randn(2, 64, mel), **decoder}, {"input_values": torch.randn(2, number(config, "max_length", default=64), mel)},
        {**text, "bbox": torch.randint(0, 60, (2, 8, 1)).expand(2, 8, 4).contiguous()},
        {"past_values": torch.randn(2, number(config, "context_length", default=32), number(config, "num_input_channels", default=1))},
        {"hidden_states": torch.randn(2, 16, number(config, "hidden_size", default=32))},
        {**series, "future_values": torch.randn(2, future), "future_time_features": torch.randn(2, future, 2)},
        {"past_values": torch.randn(2, past), "past_values_padding": known["past_values_padding"], "freq": known["freq"]},
        {"past_values": torch.randn(2, past)}, {"hidden_states": rows, "grid_thw": grid}, {"pixel_values": rows, "grid_thw": grid}, {"pixel_values": rows, "grid_thw": grid, "merge_sizes": known["merge_sizes"]},
        {"pixel_values": torch.rand(2, 16, 3 * patch * patch), "pixel_position_ids": known["pixel_position_ids"]},
        {"pixel_values": torch.randn(2, 2, channels, 64, 64)}, {"pixel_values": torch.randn(2, 2, 3, 224, 224)}, {"pixel_values": torch.randn(2, 1, 224, 224)}, {"pixel_values": torch.randn(2, 3, 64, 64)},
        {**text, "visual_feats": known["visual_feats"], "visual_pos": known["visual_pos"]},
        {"inputs_embeds": torch.randn(2, 8, hidden)}, {"query_embeds": known["query_embeds"]}, {"inputs_embeds": torch.randn(2, 8, hidden), "decoder_input_ids": known["decoder_input_ids"]},
        {"input_values": torch.randn(2, 2, 4000)}, {"audio_values": torch.randn(2, 1, 4000)}, {"input_features": torch.randn(2, 1, 64, 64)}, {"input_features": torch.randn(2, 64, 160)},
        {"spectrogram": torch.randn(2, 16, mel)}, {"states": torch.randn(2, 6, 17), "actions": torch.randn(2, 6, 4), "rewards": torch.randn(2, 6, 1), "returns_to_go": torch.randn(2, 6, 1), "timesteps": torch.arange(6).repeat(2, 1)},
        {"input_ids": ids[:, :8] % 8}, {**text, "pixel_values": torch.randn(2, channels, 32, 32)}, {**text, "pixel_values": torch.randn(2, 3, 224, 224)}, {**text, "pixel_values": torch.randn(2, 1, channels, size, size)},
        {"audio_codes": ids[:, None] % 8}, {"input_features": torch.randn(2, 32, 128), "input_features_mask": torch.ones(2, 32, dtype=torch.bool)},
        {"audio_mel": torch.randn(2, 32, 128), "audio_mel_mask": torch.zeros(2, 32, dtype=torch.bool)},
        {"input_ids": torch.randint(3, 8, (2, 8, number(config, "num_codebooks", "audio_num_codebooks", "n_q", default=4)))},
        {"input_ids": torch.randint(3, 8, (2, number(config, "num_codebooks", "audio_num_codebooks", "n_q", default=4), 8))},
    ]
    for o in options:
        o = {**{n: known[n] for n in required if n in known}, **o}
        if all(n in parameters for n in o):
            yield o


def build(model_type):
    """The module of an architecture, small, and inputs that it takes."""
    names = modeling_auto.MODEL_MAPPING_NAMES[model_type]
    reasons = []
    for widths in SHRINKS:
        for name in [names] if isinstance(names, str) else names:
            try:
                return built(model_type, name, widths)
            except (Stopped, ImportError):
                raise
            except Exception as e:
                reasons.append(e)
    raise reasons[0]


def built(model_type, name, widths):
    config = shrink(initial(model_type), widths)
    cls = getattr(transformers, name)
    with torch.device("meta"):
        try:
            size = sum(p.numel() for p in cls(config).parameters())
        except Exception:  # computes with values while it is made
            size = sum(p.numel() for p in cls(config).parameters()) if widths is by_rules else LARGEST + 1
    if size > LARGEST:
        raise ValueError(f"too large: {size / 1e6:.0f} M parameters by the rules")
    torch.manual_seed(0)
    model = cls(config).eval()
    if hasattr(model, "set_default_language") and hasattr(config, "languages"):
        model.set_default_language(config.languages[0])
    randomize(model)  # routers of zeros make all experts equal
    parameters, reason = inspect.signature(model.forward).parameters, "no inputs that it is known to take"
    for inputs in candidates(config, parameters):
        module = Named(model, list(inputs))
        try:
            with torch.no_grad():
                out = module(*inputs.values())
            if out and all(torch.isfinite(t).all() for t in out):
                return module, tuple(inputs.values())
            reason = "outputs that are not finite" if out else "no outputs"
        except Stopped:
            raise
        except Exception as e:
            reason = f"{', '.join(inputs)}: {type(e).__name__}: {e}"
            REASONS.append(reason)
    raise ValueError(reason)


REASONS = []  # why inputs were not taken, for those who add rules


def export(model_type, folder):
    """Its program, for the inputs and for one sample more where it takes that, or the traced file."""
    module, inputs = build(model_type)
    yield "export"
    both = [inputs, tuple(torch.cat([x, x[:1]]) for x in inputs)]

    def own():
        """How much PyTorch's result changes when its weights change by one millionth."""
        before = seeded(module, inputs)
        with torch.no_grad():
            for p in module.parameters():
                p.mul_(1 + 1e-6 * torch.randn_like(p))
        return max(compare(a.astype(np.float64), b.astype(np.float64)) for a, b in zip(before, seeded(module, inputs)))

    try:
        path = os.path.join(folder, "model.pt2")
        yield "pt2", path, exported(module, both, path, 1), own
        return
    except Stopped:
        raise
    except Exception as e:
        reason = e
    try:
        path = os.path.join(folder, "model.ts.pt")
        yield "traced", path, traced(module, both, path), own
    except Stopped:
        raise
    except Exception:  # what PyTorch says of the program is the reason
        raise reason


def example(case, folder):
    """One of PyTorch's examples, with its arguments. What it writes to an input is an output of octet behind its own."""
    yield "export"
    program = torch.export.export(case.model, case.example_args, case.example_kwargs, dynamic_shapes=case.dynamic_shapes, strict=False)
    path = os.path.join(folder, "model.pt2")
    torch.export.save(program, path)
    leaves = [l for l in pytree.tree_leaves((case.example_args, case.example_kwargs)) if isinstance(l, torch.Tensor)]
    names = [n for n in program.graph_signature.user_inputs if isinstance(n, str)]
    given = {n: np.array(x.numpy(), order="C") for n, x in zip(names, leaves)}
    with torch.no_grad():
        want = pytree.tree_leaves(program.module()(*case.example_args, **case.example_kwargs))
    want += [x for n, x in zip(names, leaves) if not np.array_equal(x.numpy(), given[n])]
    yield "pt2", path, [(given, [np.asarray(w) for w in want if w is not None])], None


class Stopped(TimeoutError):
    pass


def stop(*_):
    raise Stopped(f"not done in {SECONDS} s")


def check(steps, octet, folder):
    """At which stage it ended, and why: build, export, octet, or ok with the form and the largest difference."""
    stage = "build"
    signal.alarm(SECONDS)
    try:
        for step in steps:
            if isinstance(step, str):
                stage = step
                continue
            form, path, runs, own = step
            signal.alarm(0)
            stage = "octet"
            d = compared(octet, path, folder, runs)
            if form == "pt2" and "run_decompositions" in str(d):
                form = "pt2, decomposed"
                torch.export.save(torch.export.load(path).run_decompositions(), path)
                d = compared(octet, path, folder, runs)
            if isinstance(d, str):
                return {"stage": stage, "form": form, "why": d}
            result = {"stage": "ok" if agrees(d) else "differs", "form": form, "runs": len(runs), "difference": d}
            if not agrees(d) and own:
                result["own"] = own()
            return result
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
REFUSED, DIFFERS = "octet refuses it", "octet's result differs"
KINDS = [
    ("octet", "", REFUSED),
    ("unstable", "", "PyTorch's own result changes as much when its inputs or weights change by one millionth (it chooses queries by scores that are equal or nearly so, or makes rounding larger)"),
    ("differs", "", DIFFERS),
    ("build", r"ImportError|requires the .* librar|No module named", "needs a library that was not installed"),
    ("build", r"OSError|couldn't connect", "takes files from a hub while it is made"),
    ("build", r"Stopped", f"took PyTorch more than {SECONDS} s"),
    ("build", "", "not tried: the rules make no small configuration of it, or no inputs"),
    ("export", r"Stopped", f"took PyTorch more than {SECONDS} s"),
    ("export", r"[Dd]ata.?[Dd]ependent|u\d+|\.item\(\)|\.tolist\(\)", "PyTorch neither exports nor traces it: shapes or conditions follow from values"),
    ("export", r"Constraints violated", "PyTorch refuses the open extents"),
    ("export", r"SerializeError", "PyTorch neither saves its program nor traces it: `flat_apply` in the program"),
    ("export", "", "PyTorch neither exports nor traces it: sizes do not fit in the small configuration"),
]


def kind(r):
    stage = "unstable" if r["stage"] == "differs" and r.get("own", 0) * 2 >= r["difference"] else r["stage"]
    return next(k for s, pattern, k in KINDS if stage == s and re.search(pattern, r.get("why", "")))


def table(results):
    """What runs and what is left out, by kind."""
    lines = []
    for what, wanted in ("architectures of transformers", False), ("examples of `torch._export.db`", True):
        group = {n.removeprefix("example/"): r for n, r in results.items() if n.startswith("example/") == wanted}
        good = sorted(n for n, r in group.items() if r["stage"] == "ok")
        lines += [f"{len(good)} of {len(group)} {what} run: {', '.join(good)}.", ""]
        if both := sum(group[n].get("runs", 1) > 1 for n in good):
            lines += [f"{both} of them were compared with two batches, the others with one.", ""]
        for form, how in ("traced", "as traced files, since PyTorch does not export them"), ("pt2, decomposed", "after `run_decompositions()`"):
            if names := [n for n in good if group[n].get("form") == form]:
                lines += [f"{len(names)} of them {'run' if len(names) > 1 else 'runs'} {how}: {', '.join(names)}.", ""]
        lines += ["| left out | which |", "|---|---|"]
        for k in dict.fromkeys(k for _, _, k in KINDS):
            left = sorted((n, r) for n, r in group.items() if r["stage"] != "ok" and kind(r) == k)
            named = (f"{n} ({shortened(str(r.get('why', r.get('difference'))))})" if k in (REFUSED, DIFFERS) else n for n, r in left)
            if left:
                lines.append(f"| {k} | {len(left)}: {', '.join(named)} |")
        lines.append("")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
