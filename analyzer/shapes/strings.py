"""Shapes of operators on strings, and of those that decode bytes."""

from __future__ import annotations

from onnx import TensorProto

from archlint.analyzer.dims import Dim, broadcast
from archlint.analyzer.shapes.context import Context, Outputs, shapes


@shapes("StringConcat")
def string_concat(context: Context) -> Outputs:
    """Both inputs, broadcast."""
    return [(broadcast(context.shape(0), context.shape(1)), TensorProto.STRING)]


@shapes("RegexFullMatch")
def regex_full_match(context: Context) -> Outputs:
    """A truth value for each string."""
    return [(context.shape(0), TensorProto.BOOL)]


@shapes("StringNormalizer")
def string_normalizer(context: Context) -> Outputs:
    """[C] or [1, C] without the stop words; only the data tells how many are left of them."""
    x = context.shape(0)
    if len(x) not in (1, 2):
        raise ValueError(f"strings of rank {len(x)}")
    kept = x[-1]
    if context.attribute("stopwords"):
        kept = context.fresh("kept", "how many strings are no stop words depends on the data")
    return [((*x[:-1], kept), TensorProto.STRING)]


@shapes("StringSplit")
def string_split(context: Context) -> Outputs:
    """The parts along one more axis, as many as the longest split has; and how many each has."""
    x = context.shape(0)
    parts = context.fresh("parts", "into how many parts strings split depends on the data")
    return [((*x, parts), TensorProto.STRING), (x, TensorProto.INT64)]


@shapes("TfIdfVectorizer")
def tf_idf_vectorizer(context: Context) -> Outputs:
    """The last axis replaced by a count for each n-gram."""
    x = context.shape(0)
    indexes = context.attribute("ngram_indexes")
    if not indexes or len(x) not in (1, 2):
        raise ValueError(f"n-grams {indexes or ()} of an input of rank {len(x)}")
    return [((*x[:-1], max(indexes) + 1), TensorProto.FLOAT)]


@shapes("ImageDecoder")
def image_decoder(context: Context) -> Outputs:
    """[height, width, channels] in uint8: only the encoded image tells the first two."""
    why = "the size of an image depends on the data"
    size = (context.fresh("height", why), context.fresh("width", why))
    channels: Dim = 1 if context.attribute("pixel_format", "RGB") == "Grayscale" else 3
    return [((*size, channels), TensorProto.UINT8)]
