"""Shapes of the operators of ai.onnx.ml: features, linear models, support vectors, trees."""

from __future__ import annotations

from typing import Any

from onnx import TensorProto

from archlint.analyzer.dims import Dim, Shape, volume
from archlint.analyzer.shapes.context import Context, Outputs, Unresolved, shapes

_ML = "ai.onnx.ml"
_CAST_TO = {
    "TO_FLOAT": TensorProto.FLOAT, "TO_INT64": TensorProto.INT64, "TO_STRING": TensorProto.STRING,
}  # fmt: skip


@shapes(f"{_ML}.Binarizer", f"{_ML}.Imputer")
def same_as_first(context: Context) -> Outputs:
    """Shaped as the input."""
    return [(context.shape(0), context.dtype(0))]


@shapes(f"{_ML}.Scaler", f"{_ML}.Normalizer")
def as_floats(context: Context) -> Outputs:
    """Shaped as the input, in float32."""
    return [(context.shape(0), TensorProto.FLOAT)]


@shapes(f"{_ML}.CategoryMapper")
def category_mapper(context: Context) -> Outputs:
    """An integer for each string, or a string for each integer."""
    from_string = context.dtype(0) == TensorProto.STRING
    return [(context.shape(0), TensorProto.INT64 if from_string else TensorProto.STRING)]


@shapes(f"{_ML}.LabelEncoder")
def label_encoder(context: Context) -> Outputs:
    """A value for each key: of the type of the values, or before version 2 the other of string and
    integer."""
    tensor = context.attribute("values_tensor")
    if tensor is not None:
        return [(context.shape(0), tensor.data_type)]
    for name, dtype in (
        ("values_floats", TensorProto.FLOAT), ("values_int64s", TensorProto.INT64),
        ("values_strings", TensorProto.STRING),
    ):  # fmt: skip
        if context.attribute(name):
            return [(context.shape(0), dtype)]
    return category_mapper(context)


@shapes(f"{_ML}.ArrayFeatureExtractor")
def array_feature_extractor(context: Context) -> Outputs:
    """The last axis cut down to the indices; a vector becomes a row."""
    x = context.shape(0)
    if not x:
        raise ValueError("a scalar has no features")
    return [(((1,) if len(x) == 1 else x[:-1]) + (volume(context.shape(1)),), context.dtype(0))]


@shapes(f"{_ML}.FeatureVectorizer")
def feature_vectorizer(context: Context) -> Outputs:
    """[N, sum of ``inputdimensions``] in float32, or of what the inputs hold a row."""
    rows = _rows(context.shape(0))
    widths: list[Dim] = list(context.attribute("inputdimensions") or ())
    if not widths:
        inputs = [context.shape(index) for index in range(len(context.inputs))]
        widths = [volume(shape[1:]) if len(shape) > 1 else volume(shape) for shape in inputs]
    total: Dim = 0
    for width in widths:
        total = total + width
    return [((rows, total), TensorProto.FLOAT)]


@shapes(f"{_ML}.OneHotEncoder")
def one_hot_encoder(context: Context) -> Outputs:
    """One more axis: a number for each category."""
    categories = context.attribute("cats_int64s") or context.attribute("cats_strings")
    if not categories:
        raise ValueError("no categories")
    return [((*context.shape(0), len(categories)), TensorProto.FLOAT)]


@shapes(f"{_ML}.LinearRegressor")
def linear_regressor(context: Context) -> Outputs:
    """[N, targets]."""
    targets = int(context.attribute("targets", 1))
    return [((_rows(context.shape(0)), targets), TensorProto.FLOAT)]


@shapes(f"{_ML}.SVMRegressor")
def svm_regressor(context: Context) -> Outputs:
    """[N, 1]."""
    return [((_rows(context.shape(0)), 1), TensorProto.FLOAT)]


@shapes(f"{_ML}.LinearClassifier", f"{_ML}.TreeEnsembleClassifier")
def classifier(context: Context) -> Outputs:
    """A label [N], and scores [N, classes]."""
    return _labelled(context, len(_labels(context)))


@shapes(f"{_ML}.SVMClassifier")
def svm_classifier(context: Context) -> Outputs:
    """A label [N], and scores: one a class, or one a pair of classes where there are support
    vectors of more than two classes and no probabilities."""
    classes = len(_labels(context))
    pairs = context.attribute("vectors_per_class") and not context.attribute("prob_a")
    return _labelled(context, classes * (classes - 1) // 2 if pairs and classes > 2 else classes)


def _labelled(context: Context, scores: int) -> Outputs:
    if scores < 1:
        raise ValueError("no class labels")
    rows = _rows(context.shape(0))
    strings = context.attribute("classlabels_strings")
    label = TensorProto.STRING if strings else TensorProto.INT64
    return [((rows,), label), ((rows, scores), TensorProto.FLOAT)]


def _labels(context: Context) -> Any:
    names = ("classlabels_strings", "classlabels_ints", "classlabels_int64s")
    return next((labels for name in names if (labels := context.attribute(name))), ())


def _rows(x: Shape) -> Dim:
    """The batch; a vector is one row."""
    if not x:
        raise ValueError("a scalar has no features")
    return x[0] if len(x) > 1 else 1


@shapes(f"{_ML}.TreeEnsemble", f"{_ML}.TreeEnsembleRegressor")
def tree_ensemble(context: Context) -> Outputs:
    """[N, targets]: in the input's data type, of the old regressor in float32."""
    is_old = context.node.op_type == "TreeEnsembleRegressor"
    targets = int(context.attribute("n_targets", 1))
    dtype = TensorProto.FLOAT if is_old else context.dtype(0)
    return [((_rows(context.shape(0)), targets), dtype)]


@shapes(f"{_ML}.CastMap")
def cast_map(context: Context) -> Outputs:
    """A row: of ``max_map`` numbers, or of as many as the map has."""
    dtype = _CAST_TO.get(str(context.attribute("cast_to", "TO_FLOAT")), 0)
    if context.attribute("map_form", "DENSE") == "SPARSE":
        return [((1, int(context.attribute("max_map", 1))), dtype)]
    return [((1, context.fresh("keys", "how many keys a map has depends on the data")), dtype)]


@shapes(f"{_ML}.DictVectorizer")
def dict_vectorizer(context: Context) -> Outputs:
    """A row with a number for each word of the vocabulary, as onnxruntime makes it."""
    words = context.attribute("string_vocabulary") or context.attribute("int64_vocabulary")
    if not words:
        raise ValueError("no vocabulary")
    return [((1, len(words)), 0)]


@shapes(f"{_ML}.ZipMap")
def zip_map(context: Context) -> Outputs:
    """Unknown: a map has no shape."""
    raise Unresolved(context.because("it makes a map for each row, which has no shape"))
