"""Small networks through both of torch's exporters: MACs are torch's own, nothing is downloaded."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from archlint.analyzer.cost import CostTable, count
from archlint.analyzer.dims import Cause
from archlint.analyzer.inputs import Bindings
from archlint.analyzer.load import load
from archlint.analyzer.reader import read

torch: Any = pytest.importorskip("torch", reason="exports need torch")
transformers: Any = pytest.importorskip("transformers", reason="exports need transformers")
pytest.importorskip("onnxscript", reason="torch's dynamo exporter needs onnxscript")
nn, flop_counter = torch.nn, pytest.importorskip("torch.utils.flop_counter")

pytestmark = [
    pytest.mark.slow,
    # The exporters warn of their own deprecations and of every constant that a trace bakes in.
    pytest.mark.filterwarnings("ignore"),
]

LABELS = 5
TOKENS = 100
POSITIONS = 24  # all are used: the dynamo exporter drops the others from a small table
EXPORTERS: dict[str, dict[str, Any]] = {
    "torchscript": {"dynamo": False, "opset_version": 17},
    "dynamo": {"dynamo": True, "external_data": False, "verbose": False},
}


@pytest.fixture(autouse=True)
def _one_plain_thread() -> Iterator[None]:
    """One thread, no gradients, and attention as the operators that it is written with."""
    threads, fast = torch.get_num_threads(), torch.backends.mha.get_fastpath_enabled()
    torch.set_num_threads(1)
    torch.backends.mha.set_fastpath_enabled(False)
    with torch.no_grad():
        yield
    torch.backends.mha.set_fastpath_enabled(fast)
    torch.set_num_threads(threads)


def net(forward: Callable[..., Any], **parts: Any) -> Any:
    """A module of these parts."""
    module = type("Net", (nn.Module,), {"forward": forward})()
    for name, part in parts.items():
        module.add_module(name, part)
    return module


def hub(name: str, task: str, **config: Any) -> Any:
    """A network of transformers, its weights from its initialiser."""
    settings = getattr(transformers, f"{name}Config")(
        num_labels=LABELS, attn_implementation="eager", **config
    )
    return getattr(transformers, f"{name}For{task}")(settings)


def vision(name: str, task: str = "ImageClassification", **config: Any) -> Any:
    """A network of transformers from pixels to logits."""
    return net(lambda self, pixels: self.body(pixels).logits, body=hub(name, task, **config))


def image(size: int) -> tuple[Any, ...]:
    """A random image."""
    return (torch.randn(1, 3, size, size),)


def sentence(tokens: int, batch: int = 1) -> tuple[Any, ...]:
    """Random token ids, all of them attended to, of one segment."""
    ids = torch.randint(0, TOKENS, (batch, tokens))
    return ids, torch.ones_like(ids), torch.zeros_like(ids)


def bert() -> Any:
    """Two layers of four heads."""
    body = hub(
        "Bert", "SequenceClassification", vocab_size=TOKENS, hidden_size=32,
        num_hidden_layers=2, num_attention_heads=4, intermediate_size=64,
        max_position_embeddings=POSITIONS,
    )  # fmt: skip
    return net(
        lambda self, ids, mask, types: (
            self.body(ids, attention_mask=mask, token_type_ids=types).logits
        ),
        body=body,
    )


def recurrent(cell: str, *, bidirectional: bool) -> Any:
    """Two recurrent layers; the last step is classified."""
    return net(
        lambda self, ids: self.head(self.rnn(self.embed(ids))[0][:, -1]),
        embed=nn.Embedding(TOKENS, 32),
        rnn=getattr(nn, cell)(32, 48, 2, batch_first=True, bidirectional=bidirectional),
        head=nn.Linear(48 * (1 + bidirectional), LABELS),
    )


def unet() -> Any:
    """Two levels; kernels of the way up that tile, and that overlap in groups."""

    def block(channels: int, filters: int) -> Any:
        convolution = nn.Conv2d(channels, filters, 3, padding=1)  # with a bias
        return nn.Sequential(convolution, nn.BatchNorm2d(filters), nn.ReLU())

    def forward(self: Any, x: Any) -> Any:
        high = self.down1(x)
        middle = self.down2(self.pool(high))
        low = self.down3(self.pool(middle))
        up = self.join2(torch.cat([self.up2(low), middle], 1))
        return self.head(self.join1(torch.cat([self.up1(up), high], 1)))

    return net(
        forward, pool=nn.MaxPool2d(2), down1=block(3, 8), down2=block(8, 16), down3=block(16, 32),
        up2=nn.ConvTranspose2d(32, 16, 2, stride=2), join2=block(32, 16),
        up1=nn.ConvTranspose2d(16, 8, 3, stride=2, padding=1, output_padding=1, groups=2),
        join1=block(16, 8), head=nn.Conv2d(8, LABELS, 1),
    )  # fmt: skip


def nothing(_model: Any, _exporter: str) -> int:
    """The file holds what the module holds."""
    return 0


def zero_mask(model: Any, exporter: str) -> int:
    """The mask of ViT, a number a pair of tokens, which the dynamo exporter stores and adds."""
    # That one folds constants of up to 8192 elements; larger masks are still made by a Where.
    config = model.body.config
    tokens = (config.image_size // config.patch_size) ** 2 + 1
    return int(tokens**2) if exporter == "dynamo" else 0


def biases_and_masks(model: Any, exporter: str) -> int:
    """Position biases of Swin looked up, and the masks of its shifted layers."""
    # A head has (2w - 1)² = 169 biases; the files hold w⁴ = 2401, one a pair of places in a window.
    # The dynamo exporter stores the masks too, w⁴ a window, and adds them as it adds the biases.
    config, more = model.body.config, 0
    window = config.window_size
    for stage, (depth, heads) in enumerate(zip(config.depths, config.num_heads, strict=True)):
        more += depth * heads * (window**4 - (2 * window - 1) ** 2)
        if exporter == "dynamo":
            windows = (config.image_size // config.patch_size // 2**stage // window) ** 2
            more += depth // 2 * windows * window**4
    return int(more)


@dataclass(frozen=True)
class Case:
    """A network with its input, and how its file differs from the module."""

    build: Callable[[], Any]
    inputs: Callable[[], tuple[Any, ...]] = lambda: image(64)
    # Elements a channel that folding a normalisation into the convolution before it loses: of its
    # scale and offset the latter stays, as a bias of the convolution; if that has one, both go.
    lost: int = 0
    more: Callable[[Any, str], int] = nothing  # elements beyond those of the module


CASES: dict[str, Case] = {
    "vit": Case(
        lambda: vision(
            "ViT", hidden_size=32, num_hidden_layers=2, num_attention_heads=4,
            intermediate_size=64, image_size=32, patch_size=8,
        ),
        lambda: image(32),
        more=zero_mask,
    ),
    # Windows of the usual size, and two stages that shift them: 28 x 28 patches, then 14 x 14.
    "swin": Case(
        lambda: vision(
            "Swin", embed_dim=32, depths=[2, 2], num_heads=[2, 4], window_size=7, patch_size=4,
            image_size=112,
        ),
        lambda: image(112),
        more=biases_and_masks,
    ),
    "convnext": Case(
        lambda: vision("ConvNext", num_stages=2, hidden_sizes=[32, 64], depths=[1, 1])
    ),
    # The last convolution is always of 1280 filters.
    "efficientnet": Case(
        lambda: vision(
            "EfficientNet", image_size=64, width_coefficient=1.0, depth_coefficient=1.0,
            hidden_dim=1280, kernel_sizes=[3, 3, 5], in_channels=[32, 16, 24],
            out_channels=[16, 24, 40], depthwise_padding=[], strides=[1, 2, 2],
            num_block_repeats=[1, 2, 1], expand_ratios=[1, 6, 6],
        ),
        lost=1,
    ),
    "bert": Case(bert, lambda: sentence(POSITIONS)),
    "resnet": Case(
        lambda: vision("ResNet", embedding_size=32, hidden_sizes=[32, 64], depths=[1, 2]), lost=1
    ),
    # All of its 52 convolutions, a quarter as wide.
    "mobilenet": Case(lambda: vision("MobileNetV2", depth_multiplier=0.25), lost=1),
    "regnet": Case(
        lambda: vision(
            "RegNet", embedding_size=32, hidden_sizes=[32, 64], depths=[1, 2], groups_width=16
        ),
        lost=1,
    ),
    "segformer": Case(
        lambda: vision(
            "Segformer", "SemanticSegmentation", num_encoder_blocks=2, depths=[1, 1],
            sr_ratios=[4, 1], hidden_sizes=[32, 64], patch_sizes=[7, 3], strides=[4, 2],
            num_attention_heads=[1, 2], mlp_ratios=[2, 2], decoder_hidden_size=32,
        ),
        lost=1,
    ),
    "lstm": Case(lambda: recurrent("LSTM", bidirectional=True), lambda: sentence(12)[:1]),
    "gru": Case(lambda: recurrent("GRU", bidirectional=False), lambda: sentence(12)[:1]),
    "unet": Case(unet, lambda: image(32), lost=2),
}  # fmt: skip


def built(name: str) -> tuple[Any, tuple[Any, ...]]:
    """A network in which no two tensors are equal, and its input; every call gives the same."""
    torch.manual_seed(zlib.crc32(name.encode()))
    model = CASES[name].build().eval()
    for tensor in (*model.parameters(), *model.buffers()):
        if tensor.is_floating_point():
            tensor.uniform_(0.01, 0.1)  # positive, as variances are
    return model, CASES[name].inputs()


def parameters(model: Any) -> int:
    """Elements of the parameters, each tensor once."""
    return sum(parameter.numel() for parameter in model.parameters())


def torch_macs(model: Any, inputs: tuple[Any, ...]) -> int:
    """Half the FLOPs of torch's counter, which sees nothing of the LSTM of mkldnn."""
    with (
        torch.backends.mkldnn.flags(enabled=False),
        flop_counter.FlopCounterMode(display=False) as counter,
    ):
        model(*inputs)
    return int(counter.get_total_flops()) // 2


def exported(
    model: Any, inputs: tuple[Any, ...], path: Path, exporter: str, **options: Any
) -> Callable[..., CostTable]:
    """Export to a file; the answer counts it with dims bound."""
    torch.onnx.export(model, inputs, path, **EXPORTERS[exporter], **options)
    return lambda **dims: count(load(read(str(path)), Bindings(dims)))


@pytest.mark.parametrize("exporter", EXPORTERS)
@pytest.mark.parametrize("name", CASES)
def test_counts_are_those_of_torch(name: str, exporter: str, tmp_path: Path) -> None:
    """Every cost is known, and MACs and parameters are those of the module."""
    model, inputs = built(name)
    macs = torch_macs(model, inputs)
    channels = sum(m.num_features for m in model.modules() if isinstance(m, nn.BatchNorm2d))
    held = parameters(model) + CASES[name].more(model, exporter) - CASES[name].lost * channels
    table = exported(model, inputs, tmp_path / "model.onnx", exporter)()
    assert dict(table.uncosted) == {}
    assert table.total().macs == macs > 0
    assert table.parameters.count(table.graph.nodes) == held
    assert table.parameters.count_buffers(table.graph.nodes) == 0  # every normalisation is folded


@pytest.mark.parametrize("exporter", EXPORTERS)
def test_dynamic_dims_of_bert(exporter: str, tmp_path: Path) -> None:
    """Without a length costs are unknown and say how to bind it; with one they are the static."""
    model, sentences = built("bert")
    static = exported(model, sentences, tmp_path / "static.onnx", exporter)()
    names = ["ids", "mask", "types"]
    option = "dynamic_shapes" if EXPORTERS[exporter]["dynamo"] else "dynamic_axes"
    axes = {option: {name: {0: "batch", 1: "seq"} for name in names}}
    # No size of the example is 1: that would be taken for a constant.
    example, path = sentence(16, batch=2), tmp_path / "dynamic.onnx"
    dynamic = exported(model, example, path, exporter, input_names=names, **axes)
    causes = {cause for causes in dynamic().uncosted.values() for cause in causes}
    assert causes == {Cause("dim 'seq' is unbound", "--dim seq=128")}
    assert dynamic(seq=POSITIONS).total().macs == static.total().macs
    for tokens, batch in ((POSITIONS, 1), (17, 3)):
        table = dynamic(seq=tokens, batch=batch)
        assert dict(table.uncosted) == {}
        assert table.total().macs == torch_macs(model, sentence(tokens, batch))
        assert table.parameters.count(table.graph.nodes) == parameters(model)
