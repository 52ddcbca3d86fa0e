"""The operators of ai.onnx.ml: features, linear models, support vectors, trees."""

from __future__ import annotations

from archlint.analyzer.cost.base import UnknownCost, View, Work, elementwise, handles
from archlint.analyzer.cost.trees import heights

_ML = "ai.onnx.ml"

handles(
    f"{_ML}.Binarizer", f"{_ML}.Imputer", f"{_ML}.CategoryMapper", f"{_ML}.LabelEncoder",
)(elementwise("lookup"))  # fmt: skip
handles(f"{_ML}.Scaler")(elementwise("normalization", 2))


@handles(f"{_ML}.Normalizer")
def normalizer(view: View) -> Work:
    """Operations an element: 2 for MAX (compare, divide), 3 for L1 and L2 (power, sum, divide)."""
    each = 2 if view.attribute("norm", "MAX") == "MAX" else 3
    return Work(ops={"normalization": each * view.elements(0)})


@handles(f"{_ML}.OneHotEncoder")
def one_hot_encoder(view: View) -> Work:
    """A look-up an input element."""
    return Work(ops={"lookup": view.elements(0)})


@handles(f"{_ML}.FeatureVectorizer")
def feature_vectorizer(view: View) -> Work:
    """No operations: every element is read and written once."""
    return Work()


@handles(f"{_ML}.ArrayFeatureExtractor", roles="xs")
def array_feature_extractor(view: View) -> Work:
    """No operations: only the picked elements are read."""
    return Work(reads={0: view.out_elements()})


@handles(f"{_ML}.CastMap", f"{_ML}.DictVectorizer", f"{_ML}.ZipMap")
def maps(view: View) -> Work:
    """Unknown: how many keys a map has depends on the data."""
    raise UnknownCost(view.because("a map has no fixed size"))


@handles(f"{_ML}.LinearClassifier", f"{_ML}.LinearRegressor")
def linear(view: View) -> Work:
    """N · coefficients MACs: a product with every feature for each score; an intercept is an
    operation a score, a transform of the scores 5."""
    rows, features = _rows(view)
    coefficients = len(view.attribute("coefficients") or ())
    if not coefficients or coefficients % features:
        raise ValueError(f"{coefficients} coefficients of {features} features")
    scores = rows * (coefficients // features)
    intercepts = bool(view.attribute("intercepts"))
    return Work(rows * coefficients, {"bias": scores * intercepts} | _transformed(view, scores))


@handles(f"{_ML}.SVMClassifier", f"{_ML}.SVMRegressor")
def support_vectors(view: View) -> Work:
    """N·V·F MACs for the kernel of V support vectors of F features, and N · coefficients for their
    weighted sum; POLY and SIGMOID are 3 operations a kernel more, RBF is 2, and one a feature for
    the difference. Without support vectors N · coefficients, as a linear model."""
    rows, features = _rows(view)
    stored, coefficients = (
        len(view.attribute(name) or ()) for name in ("support_vectors", "coefficients")
    )
    if not coefficients or stored % features:
        raise ValueError(f"{coefficients} coefficients, {stored} numbers of {features} features")
    kernels = rows * (stored // features)
    kind = view.attribute("kernel_type", "LINEAR")
    ops = {"activation": kernels * {"LINEAR": 0, "POLY": 3, "RBF": 2, "SIGMOID": 3}[kind]}
    if kind == "RBF":
        ops["elementwise"] = kernels * features
    return Work(kernels * features + rows * coefficients, ops)


@handles(f"{_ML}.TreeEnsemble", f"{_ML}.TreeEnsembleRegressor", f"{_ML}.TreeEnsembleClassifier")
def tree_ensemble(view: View) -> Work:
    """N · (Σ height + trees) operations: a comparison a node of the longest path of every tree, and
    a leaf's weight added; a transform of the scores is 5 a score."""
    rows, _ = _rows(view)
    found = heights(view.node.attributes)
    ops = {"lookup": rows * sum(found), "reduction": rows * len(found)}
    scores = view.out(1 if view.node.op_type == "TreeEnsembleClassifier" else 0)
    return Work(ops=ops | _transformed(view, scores[0] * scores[1]))


def _rows(view: View) -> tuple[int, int]:
    """Rows and features of the input; a vector is one row."""
    x = view.shape(0)
    if len(x) not in (1, 2) or x[-1] < 1:
        raise ValueError(f"features in a tensor {x}")
    return (x[0] if len(x) == 2 else 1), x[-1]


def _transformed(view: View, scores: int) -> dict[str, int]:
    """A softmax, or another transform of the scores; the newest trees number it."""
    named = view.attribute("post_transform", "NONE")
    return {} if named in ("NONE", 0) else {"softmax": 5 * scores}
