"""The models that `zoo.py --format pt2` exports: one of each family of torchvision, and
encoders, decoders and models of images and sound of transformers, small, with random weights."""

import numpy as np
import torch
import torchvision

try:
    import transformers as hf
except ImportError:  # torchvision's are enough for some of the runs
    hf = None


class Fixed(torch.nn.Module):
    """Calls a model with named inputs and other, fixed arguments, and returns its tensors."""

    def __init__(self, model, names, **fixed):
        super().__init__()
        self.model, self.names, self.fixed = model, names, fixed

    def forward(self, *args):
        if self.names:
            out = self.model(**dict(zip(self.names, args)), **self.fixed)
        else:
            out = self.model(*args, **self.fixed)
        return tuple(tensors(out))


def tensors(out):
    """The floating-point tensors in what a model returns, in order; caches are left out."""
    if isinstance(out, torch.Tensor):
        return [out] if out.is_floating_point() else []
    if isinstance(out, dict):
        out = [v for k, v in out.items() if k != "past_key_values"]
    return [t for o in out for t in tensors(o)] if isinstance(out, (list, tuple)) else []


def images(*shape):
    return lambda batch: (torch.randn(batch, *shape),)


# Models of torchvision: the shape of an input behind the batch, and arguments of the model.
TORCHVISION = {
    **{n: ((3, 64, 64), {}) for n in (
        "alexnet convnext_tiny densenet121 efficientnet_b0 mnasnet1_0 mobilenet_v2 mobilenet_v3_large mobilenet_v3_small "
        "regnet_x_400mf regnet_y_400mf resnet18 resnet50 resnext50_32x4d wide_resnet50_2 shufflenet_v2_x1_0 squeezenet1_0 squeezenet1_1 "
        "swin_t swin_v2_t vgg11 vgg11_bn fcn_resnet50 deeplabv3_resnet50 deeplabv3_mobilenet_v3_large lraspp_mobilenet_v3_large").split()},
    "efficientnet_v2_s": ((3, 128, 128), {}),  # smaller ones leave the last batch norms a pixel
    "googlenet": ((3, 96, 96), {"init_weights": False}),
    "inception_v3": ((3, 299, 299), {"init_weights": False}),
    "maxvit_t": ((3, 224, 224), {}),
    "vit_b_16": ((3, 64, 64), {"image_size": 64}),
    "vit_b_32": ((3, 64, 64), {"image_size": 64}),
    **{n: ((3, 8, 64, 64), {}) for n in ("r3d_18", "mc3_18", "r2plus1d_18", "swin3d_t")},
    **{n: ((3, 16, 224, 224), {}) for n in ("s3d", "mvit_v1_b", "mvit_v2_s")},
    "raft_small": ((3, 128, 128), {}),
    "raft_large": ((3, 128, 128), {}),
}

TEXT = ("input_ids", "attention_mask")
SEQUENCES = ("input_ids", "attention_mask", "decoder_input_ids")
SMALL = dict(
    vocab_size=99, hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=64, max_position_embeddings=64,
    pad_token_id=0, bos_token_id=1, eos_token_id=2, use_cache=False,
)
GROUPED = dict(num_key_value_heads=2, head_dim=8)
D_MODEL = dict(
    vocab_size=99, d_model=32, encoder_layers=2, decoder_layers=2, encoder_attention_heads=4, decoder_attention_heads=4, encoder_ffn_dim=64,
    decoder_ffn_dim=64, max_position_embeddings=64, pad_token_id=0, bos_token_id=1, eos_token_id=2, decoder_start_token_id=2, use_cache=False,
)
T5 = dict(vocab_size=99, d_model=32, d_kv=8, d_ff=64, num_layers=2, num_heads=4, pad_token_id=0, decoder_start_token_id=0, use_cache=False)
IMAGE = dict(hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=64, image_size=32, patch_size=8)
SOUND = dict(
    hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=64, conv_dim=(16, 16, 16), conv_stride=(5, 4, 2), conv_kernel=(10, 4, 4),
    num_feat_extract_layers=3, num_conv_pos_embeddings=16, num_conv_pos_embedding_groups=4, vocab_size=32, mask_time_prob=0.0, layerdrop=0.0,
    feat_extract_norm="group", apply_spec_augment=False,
)
EXPERTS = dict(num_experts=4, num_experts_per_tok=2, moe_intermediate_size=32, num_local_experts=4)

# Models of transformers: the prefix of their configuration's class, their class, what they take, and the configuration.
TRANSFORMERS = {
    "bert": ("Bert", "BertModel", TEXT, SMALL),
    "bert-classes": ("Bert", "BertForSequenceClassification", TEXT, SMALL),
    "bert-tokens": ("Bert", "BertForTokenClassification", TEXT, SMALL),
    "roberta": ("Roberta", "RobertaModel", TEXT, SMALL),
    "xlm-roberta": ("XLMRoberta", "XLMRobertaModel", TEXT, SMALL),
    "distilbert": ("DistilBert", "DistilBertModel", TEXT, dict(vocab_size=99, dim=32, n_layers=2, n_heads=4, hidden_dim=64, max_position_embeddings=64)),
    "albert": ("Albert", "AlbertModel", TEXT, dict(SMALL, embedding_size=16)),
    "electra": ("Electra", "ElectraModel", TEXT, dict(SMALL, embedding_size=16)),
    "mpnet": ("MPNet", "MPNetModel", TEXT, SMALL),
    "camembert": ("Camembert", "CamembertModel", TEXT, SMALL),
    "deberta-v2": ("DebertaV2", "DebertaV2Model", TEXT, dict(SMALL, relative_attention=True, pos_att_type=["c2p", "p2c"], position_buckets=16)),
    "modernbert": ("ModernBert", "ModernBertModel", TEXT, dict(SMALL, global_attn_every_n_layers=2, local_attention=8, cls_token_id=1, sep_token_id=2)),
    "convbert": ("ConvBert", "ConvBertModel", TEXT, dict(SMALL, embedding_size=32)),
    "funnel": ("Funnel", "FunnelBaseModel", TEXT, dict(vocab_size=99, d_model=32, n_head=4, d_head=8, d_inner=64, block_sizes=[1, 1])),
    "squeezebert": ("SqueezeBert", "SqueezeBertModel", TEXT, dict(SMALL, embedding_size=32)),
    "layoutlm": ("LayoutLM", "LayoutLMModel", TEXT, SMALL),
    "fnet": ("FNet", "FNetModel", TEXT[:1], SMALL),
    "gpt2": ("GPT2", "GPT2Model", TEXT, dict(vocab_size=99, n_embd=32, n_layer=2, n_head=4, n_positions=64, use_cache=False)),
    "gpt-neo": ("GPTNeo", "GPTNeoModel", TEXT, dict(vocab_size=99, hidden_size=32, num_layers=2, num_heads=4, attention_types=[[["global", "local"], 1]], window_size=8, max_position_embeddings=64, use_cache=False)),
    "gpt-neox": ("GPTNeoX", "GPTNeoXModel", TEXT, SMALL),
    "opt": ("OPT", "OPTModel", TEXT, dict(SMALL, ffn_dim=64, word_embed_proj_dim=32)),
    "bloom": ("Bloom", "BloomModel", TEXT, dict(vocab_size=99, hidden_size=32, n_layer=2, n_head=4, use_cache=False)),
    "llama": ("Llama", "LlamaForCausalLM", TEXT, dict(SMALL, **GROUPED)),
    "mistral": ("Mistral", "MistralModel", TEXT, dict(SMALL, **GROUPED, sliding_window=4)),
    "qwen2": ("Qwen2", "Qwen2ForCausalLM", TEXT, dict(SMALL, **GROUPED)),
    "qwen3": ("Qwen3", "Qwen3Model", TEXT, dict(SMALL, **GROUPED)),
    "gemma": ("Gemma", "GemmaModel", TEXT, dict(SMALL, **GROUPED)),
    "gemma2": ("Gemma2", "Gemma2Model", TEXT, dict(SMALL, **GROUPED, sliding_window=4)),
    "gemma3": ("Gemma3Text", "Gemma3TextModel", TEXT, dict(SMALL, **GROUPED, sliding_window=4)),
    "phi": ("Phi", "PhiModel", TEXT, SMALL),
    "phi3": ("Phi3", "Phi3Model", TEXT, dict(SMALL, **GROUPED)),
    "olmo2": ("Olmo2", "Olmo2Model", TEXT, dict(SMALL, **GROUPED)),
    "cohere": ("Cohere", "CohereModel", TEXT, dict(SMALL, **GROUPED)),
    "starcoder2": ("Starcoder2", "Starcoder2Model", TEXT, dict(SMALL, **GROUPED)),
    "granite": ("Granite", "GraniteModel", TEXT, dict(SMALL, **GROUPED)),
    "smollm3": ("SmolLM3", "SmolLM3Model", TEXT, dict(SMALL, **GROUPED)),
    "mixtral": ("Mixtral", "MixtralModel", TEXT, dict(SMALL, **GROUPED, **EXPERTS)),
    "qwen3-moe": ("Qwen3Moe", "Qwen3MoeModel", TEXT, dict(SMALL, **GROUPED, **EXPERTS)),
    "mamba": ("Mamba", "MambaModel", TEXT[:1], dict(vocab_size=99, hidden_size=32, num_hidden_layers=2, state_size=8, use_cache=False)),
    "t5": ("T5", "T5Model", SEQUENCES, T5),
    "t5-encoder": ("T5", "T5EncoderModel", TEXT, T5),
    "mt5": ("MT5", "MT5Model", SEQUENCES, T5),
    "bart": ("Bart", "BartModel", SEQUENCES, D_MODEL),
    "mbart": ("MBart", "MBartModel", SEQUENCES, D_MODEL),
    "pegasus": ("Pegasus", "PegasusModel", SEQUENCES, D_MODEL),
    "marian": ("Marian", "MarianModel", SEQUENCES, D_MODEL),
    "whisper": ("Whisper", "WhisperModel", ("input_features", "decoder_input_ids"), dict(D_MODEL, num_mel_bins=16, max_source_positions=20, max_target_positions=64)),
    "vit": ("ViT", "ViTModel", ("pixel_values",), IMAGE),
    "deit": ("DeiT", "DeiTModel", ("pixel_values",), IMAGE),
    "beit": ("Beit", "BeitModel", ("pixel_values",), dict(IMAGE, use_relative_position_bias=True, vocab_size=99)),
    "dinov2": ("Dinov2", "Dinov2Model", ("pixel_values",), dict(IMAGE, mlp_ratio=2)),
    "convnext": ("ConvNext", "ConvNextModel", ("pixel_values",), dict(depths=[1, 1, 1, 1], hidden_sizes=[8, 16, 24, 32], image_size=32)),
    "convnextv2": ("ConvNextV2", "ConvNextV2Model", ("pixel_values",), dict(depths=[1, 1, 1, 1], hidden_sizes=[8, 16, 24, 32], image_size=32)),
    "swin": ("Swin", "SwinModel", ("pixel_values",), dict(image_size=32, patch_size=2, embed_dim=16, depths=[1, 2], num_heads=[2, 4], window_size=4)),
    "swinv2": ("Swinv2", "Swinv2Model", ("pixel_values",), dict(image_size=32, patch_size=2, embed_dim=16, depths=[1, 2], num_heads=[2, 4], window_size=4)),
    "segformer": ("Segformer", "SegformerForSemanticSegmentation", ("pixel_values",), dict(depths=[1, 1, 1, 1], hidden_sizes=[16, 16, 32, 32], num_attention_heads=[1, 2, 2, 4], decoder_hidden_size=32)),
    "mobilevit": ("MobileViT", "MobileViTModel", ("pixel_values",), dict(image_size=64, hidden_sizes=[16, 24, 32], neck_hidden_sizes=[8, 8, 12, 16, 24, 32, 48], num_attention_heads=2)),
    "mobilevitv2": ("MobileViTV2", "MobileViTV2Model", ("pixel_values",), dict(image_size=64, width_multiplier=0.25)),
    "resnet": ("ResNet", "ResNetModel", ("pixel_values",), dict(embedding_size=8, hidden_sizes=[8, 16, 24, 32], depths=[1, 1, 1, 1], layer_type="basic")),
    "yolos": ("Yolos", "YolosForObjectDetection", ("pixel_values",), dict(IMAGE, image_size=[32, 32], num_detection_tokens=5)),
    "wav2vec2": ("Wav2Vec2", "Wav2Vec2Model", ("input_values",), SOUND),
    "wav2vec2-ctc": ("Wav2Vec2", "Wav2Vec2ForCTC", ("input_values",), SOUND),
    "hubert": ("Hubert", "HubertModel", ("input_values",), SOUND),
    "clip-text": ("CLIPText", "CLIPTextModel", TEXT, SMALL),
    "clip-vision": ("CLIPVision", "CLIPVisionModel", ("pixel_values",), IMAGE),
    "clip": ("CLIP", "CLIPModel", ("input_ids", "pixel_values", "attention_mask"), dict(text_config=SMALL, vision_config=IMAGE, projection_dim=16)),
    "siglip-vision": ("SiglipVision", "SiglipVisionModel", ("pixel_values",), IMAGE),
    "sam-vision": ("SamVision", "SamVisionModel", ("pixel_values",), dict(IMAGE, output_channels=16, window_size=2, global_attn_indexes=[1], num_pos_feats=16, mlp_dim=64, initializer_range=0.02)),
}


def input_of(name, batch, config):
    if name in ("input_ids", "decoder_input_ids"):
        ids = torch.randint(3, 99, (batch, 8 if name == "input_ids" else 6))
        ids[:, -1] = 2
        return ids
    if name == "attention_mask":
        mask = torch.ones(batch, 8, dtype=torch.int64)
        mask[-1, 6:] = 0
        return mask
    if name == "pixel_values":
        size = getattr(config, "image_size", None) or getattr(getattr(config, "vision_config", None), "image_size", 64)
        size = size[0] if isinstance(size, (list, tuple)) else size
        return torch.randn(batch, 3, min(size, 64), min(size, 64))
    if name == "input_features":
        return torch.randn(batch, config.num_mel_bins, 2 * config.max_source_positions)
    return torch.randn(batch, 800)


def names():
    return list(TORCHVISION) + (["hf/" + n for n in TRANSFORMERS] if hf else [])


def build(name):
    """A model, in evaluation mode or not, and a function that makes inputs for a batch."""
    torch.manual_seed(0)
    if name.startswith("hf/"):
        prefix, model, inputs, settings = TRANSFORMERS[name[3:]]
        config = getattr(hf, prefix + "Config")(**settings)
        m = Fixed(getattr(hf, model)(config), inputs)
        return m, lambda batch: tuple(input_of(n, batch, config) for n in inputs)
    shape, settings = TORCHVISION[name]
    if name.startswith("raft"):
        m = Fixed(getattr(torchvision.models.optical_flow, name)(weights=None), ("image1", "image2"), num_flow_updates=3)
        return m, lambda batch: (torch.rand(batch, *shape) * 2 - 1, torch.rand(batch, *shape) * 2 - 1)
    if name.startswith(("fcn", "deeplab", "lraspp")):
        settings = {"weights_backbone": None}
    return torchvision.models.get_model(name, weights=None, **settings), images(*shape)


def export(model, inputs):
    """The program of a model in evaluation mode, its batch open if it may be."""
    model = Fixed(model, None) if not isinstance(model, Fixed) else model
    shapes = (tuple({0: torch.export.Dim.AUTO} for _ in inputs),)
    torch.backends.mha.set_fastpath_enabled(False)
    return torch.export.export(model, inputs, dynamic_shapes=shapes, strict=False)


def batches(program):
    """The batches a program takes, of 2 and 3."""
    extents = [n.meta["val"].shape[0] for n in program.graph.nodes if n.op == "placeholder" and n.name in program.graph_signature.user_inputs]
    return (2,) if all(str(e).isdigit() for e in extents) else (2, 3)


def arrays(program, inputs):
    return {n: np.array(x.numpy(), order="C") for n, x in zip(program.graph_signature.user_inputs, inputs)}
