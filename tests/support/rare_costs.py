"""Costs of rare operators, as products, and what no formula can count."""

from __future__ import annotations

from collections.abc import Mapping

MAP = "float[2,8,15,11] x"
FLAT = "float[2,3,5] x"
GEMM = "float[7,5] x"
ML = "ai.onnx.ml"
TRAINING = "ai.onnx.preview.training"
TREES = (
    "nodes_treeids=[0,0,0,0,0,1], nodes_nodeids=[0,1,2,3,4,0], nodes_truenodeids=[1,0,3,0,0,0],"
    ' nodes_falsenodeids=[2,0,4,0,0,0], nodes_modes=["BRANCH_LEQ","LEAF","BRANCH_LT","LEAF","LEAF",'
    '"LEAF"]'
)


def ones(count: int) -> str:
    """The elements of an attribute of floats."""
    return ",".join(["1.0"] * count)


# Declared inputs, weights, node, MACs, other operations by family.
RARE: dict[str, tuple[str, str, str, int, Mapping[str, int]]] = {
    "affine-grid": ("float[2,2,3] x", "int64[4] n = {2,3,5,7}", "y = AffineGrid(x, n)",
                    2 * 5 * 7 * 2 * 3, {}),
    # 1000 is no power of two: ceil(log2 1000) = 10
    "dft": ("float[3,1000,2] x", "", "y = DFT(x)", 0, {"signal": 3 * 5 * 1000 * 10}),
    "dft-real-onesided": ("float[3,1000,1] x", "", "y = DFT<onesided=1>(x)",
                          0, {"signal": 3 * 5 * 1000 * 10 // 2}),
    "dft-padded-other-axis": ("float[4,3,2] x", "int64 n = {16}, int64 a = {0}",
                              "y = DFT(x, n, a)", 0, {"signal": 3 * 5 * 16 * 4}),
    # (400 - 64) // 48 + 1 = 8 frames
    "stft": ("float[2,400,1] x", "int64 s = {48}, float[64] w", "y = STFT(x, s, w)",
             0, {"signal": 2 * 8 * (5 * 64 * 6 // 2 + 64)}),
    "stft-length": ("float[2,400,2] x", "int64 s = {48}, int64 n = {64}",
                    "y = STFT<onesided=0>(x, s, , n)", 0, {"signal": 2 * 8 * 5 * 64 * 6}),
    **{op: ("", "int64 n = {9}", f"y = {op}(n)", 0, {"signal": 4 * 9})
       for op in ("HannWindow", "HammingWindow")},
    "blackman": ("", "int64 n = {9}", "y = BlackmanWindow(n)", 0, {"signal": 8 * 9}),
    "mel": ("", "int64 b = {8}, int64 n = {64}, int64 r = {16000}, float l = {0}, float h = {8000}",
            "y = MelWeightMatrix(b, n, r, l, h)", 0, {"signal": 2 * (64 // 2 + 1) * 8}),
    "loss": ("float[4,10] x, int64[4] t", "", "y = NegativeLogLikelihoodLoss(x, t)",
             0, {"reduction": 2 * 4}),
    "loss-weighed": ("float[4,10,6] x, int64[4,6] t", "float[10] w",
                     'y = NegativeLogLikelihoodLoss<reduction="none">(x, t, w)',
                     0, {"reduction": 2 * 4 * 6}),
    "loss-softmax": ("float[4,10] x, int64[4] t", "",
                     'y, l = SoftmaxCrossEntropyLoss<reduction="sum">(x, t)',
                     0, {"reduction": 2 * 4, "softmax": 5 * 4 * 10}),
    **{op: (f"float r, int64 t, {FLAT}, float[2,3,5] g", "",
            f"y, s = {TRAINING}.{op}(r, t, x, g, g)", 0, {"optimizer": each * 2 * 3 * 5})
       for op, each in (("Adagrad", 9), ("Momentum", 7))},
    "nesterov": (f"float r, int64 t, {FLAT}, float[2,3,5] g", "",
                 f'y, s = {TRAINING}.Momentum<mode="nesterov">(r, t, x, g, g)',
                 0, {"optimizer": 9 * 2 * 3 * 5}),
    "adam": (f"float r, int64 t, {FLAT}, float[4] z", "",
             f"y, b, c, d, e, f = {TRAINING}.Adam(r, t, x, z, x, z, x, z, x, z)",
             0, {"optimizer": 15 * (2 * 3 * 5 + 4)}),
    **{op: ("", "", f"y = {op}<shape=[2,3,5]>()", 0, {"random": 2 * 3 * 5})
       for op in ("RandomNormal", "RandomUniform")},
    **{op: (FLAT, "", f"y = {op}(x)", 0, {"random": 2 * 3 * 5})
       for op in ("RandomNormalLike", "RandomUniformLike")},
    "bernoulli": (FLAT, "", "y = Bernoulli(x)", 0, {"random": 2 * 2 * 3 * 5}),
    # a search among 10 classes halves them 4 times
    "multinomial": ("float[4,10] x", "", "y = Multinomial<sample_size=6>(x)",
                    0, {"random": 4 * 2 * 10 + 4 * 6 * (1 + 4)}),
    "roi-align": ("float[1,8,20,20] x, float[3,4] r, int64[3] b", "",
                  "y = RoiAlign<output_height=7, output_width=5, sampling_ratio=2>(x, r, b)", 0,
                  {"interpolation": 3 * 8 * 7 * 5 * 4 * 8, "pooling": 3 * 8 * 7 * 5 * 4}),
    "col2im": ("float[2,18,12] x", "int64[2] i = {5,6}, int64[2] b = {3,3}", "y = Col2Im(x, i, b)",
               0, {"reduction": 2 * 18 * 12}),
    "max-unpool": ("float[1,2,4,4] x, int64[1,2,4,4] i", "",
                   "y = MaxUnpool<kernel_shape=[2,2], strides=[2,2]>(x, i)", 0, {}),
    "unique": ("", "int64[6] w = {3,1,2,1,3,0}", "y = Unique(w)", 0, {"reduction": 6 * 3}),
    "unique-rows": ("", "int64[3,2] w = {3,1,2,1,3,1}", "y = Unique<axis=0>(w)",
                    0, {"reduction": 6 * 2}),
    "compress": (FLAT, "bool[3] c = {1,0,1}", "y = Compress<axis=1>(x, c)", 0, {}),
    "bit-cast": (FLAT, "", "y = BitCast<to=6>(x)", 0, {}),
    "swiglu": (FLAT, "", "y = SwiGLU(x, x)",
               0, {"activation": 2 * 3 * 5, "elementwise": 2 * 3 * 5}),
    # words, then pairs without and with one word skipped; weighted into 4 outputs
    "n-grams": ("int64[2,9] x", "",
                ('y = TfIdfVectorizer<mode="TFIDF", min_gram_length=1, max_gram_length=2,'
                " max_skip_count=1, ngram_counts=[0,2], ngram_indexes=[0,1,2,3],"
                " pool_int64s=[1,2,1,2,2,1]>(x)"),
                0, {"lookup": (1 + 2) * 2 * 9, "elementwise": 2 * 4}),
    **{op: ("float[4,3] x", "", f"y = {ML}.{op}(x)", 0, {"lookup": 4 * 3})
       for op in ("Binarizer", "Imputer")},
    "label-encoder": ("int64[4,3] x", "",
                      f"y = {ML}.LabelEncoder<keys_int64s=[1,2], values_floats=[1.,2.]>(x)",
                      0, {"lookup": 4 * 3}),
    "one-hot-encoder": ("int64[4,3] x", "", f"y = {ML}.OneHotEncoder<cats_int64s=[1,2]>(x)",
                        0, {"lookup": 4 * 3}),
    "scaler": ("float[4,3] x", "", f"y = {ML}.Scaler(x)", 0, {"normalization": 2 * 4 * 3}),
    "normalizer": ("float[4,3] x", "", f'y = {ML}.Normalizer<norm="L2">(x)',
                   0, {"normalization": 3 * 4 * 3}),
    "feature-vectorizer": ("float[4,3] x", "", f"y = {ML}.FeatureVectorizer(x, x)", 0, {}),
    "feature-extractor": ("float[4,3] x", "int64[2] n = {0,2}",
                          f"y = {ML}.ArrayFeatureExtractor(x, n)", 0, {}),
    "linear-regressor": ("float[4,3] x", "",
                         f"y = {ML}.LinearRegressor<targets=2, coefficients=[{ones(6)}]>(x)",
                         4 * 3 * 2, {}),
    "linear-classifier": ("float[4,3] x", "",
                          (f"y, z = {ML}.LinearClassifier<classlabels_ints=[0,1,2],"
                          f' coefficients=[{ones(9)}], intercepts=[{ones(3)}],'
                          ' post_transform="SOFTMAX">(x)'),
                          4 * 3 * 3, {"bias": 4 * 3, "softmax": 5 * 4 * 3}),
    "linear-binary": ("float[4,3] x", "",
                      (f"y, z = {ML}.LinearClassifier<classlabels_ints=[0,1],"
                      f" coefficients=[{ones(3)}]>(x)"), 4 * 3, {}),
    # 5 vectors of 3 features; of 3 classes each vector votes for 2
    "svm-classifier": ("float[4,3] x", "",
                       (f"y, z = {ML}.SVMClassifier<classlabels_ints=[0,1,2], kernel_type="
                       f'"RBF", vectors_per_class=[2,1,2], support_vectors=[{ones(15)}],'
                       f" coefficients=[{ones(10)}]>(x)"),
                       4 * 5 * 3 + 4 * 5 * 2, {"activation": 2 * 4 * 5, "elementwise": 4 * 5 * 3}),
    "svm-regressor": ("float[4,3] x", "",
                      (f'y = {ML}.SVMRegressor<kernel_type="POLY", support_vectors=[{ones(6)}],'
                      f" coefficients=[{ones(2)}], n_supports=2>(x)"),
                      4 * 2 * 3 + 4 * 2, {"activation": 3 * 4 * 2}),
    # two trees: a root over a leaf and a node of two leaves, and a leaf alone
    "tree-regressor": ("float[4,3] x", "", f"y = {ML}.TreeEnsembleRegressor<{TREES}>(x)",
                       0, {"lookup": 4 * (2 + 0), "reduction": 4 * 2}),
    "tree-classifier": ("float[4,3] x", "",
                        (f"y, z = {ML}.TreeEnsembleClassifier<{TREES}, classlabels_int64s=[0,1,2],"
                        ' post_transform="SOFTMAX">(x)'),
                        0, {"lookup": 4 * (2 + 0), "reduction": 4 * 2, "softmax": 5 * 4 * 3}),
    "tree-ensemble": ("float[4,3] x", "",
                      (f"y = {ML}.TreeEnsemble<n_targets=2, tree_roots=[0,2],"
                      " nodes_truenodeids=[1,0,2], nodes_trueleafs=[0,1,1],"
                      " nodes_falsenodeids=[0,1,2], nodes_falseleafs=[1,1,1]>(x)"),
                      0, {"lookup": 4 * (2 + 1), "reduction": 4 * 2}),
    **{op: (FLAT, "", f"l = SequenceConstruct(x, x) y = {op}(l)", 0, {})
       for op in ("SequenceLength", "SequenceErase", "Optional")},
    "sequence-at": (FLAT, "int64 i = {1}", "l = SequenceConstruct(x, x) y = SequenceAt(l, i)",
                    0, {}),
    "split-to-sequence": (FLAT, "", "l = SplitToSequence<axis=1>(x) y = SequenceLength(l)", 0, {}),
    "concat-from-sequence": (FLAT, "",
                             "l = SequenceConstruct(x, x) y = ConcatFromSequence<axis=1>(l)",
                             0, {}),
    "sequence-insert": (FLAT, "", "l = SequenceEmpty() y = SequenceInsert(l, x)", 0, {}),
    **{op: (FLAT, "", f"l = Optional(x) y = {op}(l)", 0, {})
       for op in ("OptionalGetElement", "OptionalHasElement")},
}  # fmt: skip

# What no formula can count, and a word of the reason.
UNCOUNTED: dict[str, tuple[str, str, str, str]] = {
    **{op: ("string[2,3] x", "", f"y = {op}(x)", "strings")
       for op in ("StringNormalizer", "StringSplit", "RegexFullMatch")},
    "string-concat": ("string[2,3] x", "", "y = StringConcat(x, x)", "strings"),
    "of-strings": ("string[4] x", "",
                   f'y = {ML}.CategoryMapper<cats_strings=["a"], cats_int64s=[1]>(x)',
                   "no fixed size"),
    "image": ("uint8[999] x", "", "y = ImageDecoder(x)", "image"),
    "adaptive-roi-align": ("float[1,8,20,20] x, float[3,4] r, int64[3] b", "",
                           "y = RoiAlign(x, r, b)", "regions"),
    "max-roi-pool": ("float[1,8,20,20] x, float[3,5] r", "",
                     "y = MaxRoiPool<pooled_shape=[7,7]>(x, r)", "regions"),
    "suppression": ("float[1,9,4] x, float[1,2,9] s", "", "y = NonMaxSuppression(x, s)", "boxes"),
    **{op: ("float[4,3] x", "", f"y = {ML}.{op}(x)", "map")
       for op in ("ZipMap", "CastMap", "DictVectorizer")},
    "gradient": ("float[4,3] x", "", f'y = {TRAINING}.Gradient<xs=["x"], y="z">(x)',
                 "differentiates"),
    "modified-attention": ("float[2,8,6,16] x", "",
                           ("y = ai.onnx.preview.FlexAttention<score_mod = s (float[2,8,6,6] i) =>"
                           " (float[2,8,6,6] o) { o = Tanh(i) }>(x, x, x)"), "modify"),
    # 1 until operator set 19, -2 since
    "transform-of-which-axis": ("float[2,7,5,1] x", "", "y = DFT(x)", "default"),
    "tree-with-a-cycle": ("float[4,3] x", "",
                          (f"y = {ML}.TreeEnsembleRegressor<{TREES.replace('[1,0,3', '[0,0,3')}>"
                          "(x)"), "twice"),
    "linear-of-other-features": ("float[4,3] x", "",
                                 f"y = {ML}.LinearRegressor<coefficients=[{ones(4)}]>(x)",
                                 "4 coefficients"),
    "pool-without-kernel": (MAP, "", "y = MaxPool(x)", "kernel"),
    "no-size": (MAP, "", "y = LRN(x)", "contradict"),
    "no-groups": (MAP, "float[6,8,3,3] w", "y = Conv<group=0>(x, w)", "groups"),
    "other-kernel": (MAP, "float[6,8,3,3] w", "y = Conv<kernel_shape=[5,5]>(x, w)", "kernel"),
    "other-inner-dim": (GEMM, "float[4,3] w", "y = Gemm(x, w)", "inner"),
    "other-gates": ("float[9,2,5] x", "float[1,9,5] w, float[1,9,3] r",
                    "y = LSTM<hidden_size=3>(x, w, r)", "gates"),
}  # fmt: skip
