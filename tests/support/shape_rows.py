"""Nodes whose shapes onnx or onnxruntime tells: of rare operators, and of old operator sets."""

from __future__ import annotations

ML = "ai.onnx.ml"
TRAINING = "ai.onnx.preview.training"
MAP = "float[2,8,15,11] x"
_QKV = "float[2,6,32] x, float[2,5,16] k, float[2,5,8] v"
_GROUPED = "float[2,8,6,16] x, float[2,2,5,16] k, float[2,2,5,12] v"
_TREE = (
    "nodes_treeids=[0,0,0], nodes_nodeids=[0,1,2], nodes_featureids=[0,0,0],"
    " nodes_values=[0.5,0.0,0.0], nodes_truenodeids=[1,0,0], nodes_falsenodeids=[2,0,0],"
    ' nodes_modes=["BRANCH_LEQ","LEAF","LEAF"]'
)
_SVM = "kernel_params=[0.1,0.0,3.0], rho=[0.0,0.0,0.0,0.0,0.0,0.0]"


def ones(count: int) -> str:
    """The elements of an attribute of floats."""
    return ",".join(["1.0"] * count)


# Inputs, constants, nodes; every value is compared with onnx's inference.
INFERRED: dict[str, tuple[str, str, str]] = {
    "gru-batch-first": ("float[2,9,5] x, float[1,9,5] w, float[1,9,3] r", "",
                        "y, h = GRU<hidden_size=3, layout=1>(x, w, r)"),
    "attention-3d-past": (f"{_QKV}, float[2,2,9,8] a, float[2,2,9,4] b", "",
                          ("y, pk, pv, s = Attention<q_num_heads=4, kv_num_heads=2, is_causal=1,"
                          " qk_matmul_output_mode=2, softcap=2.0>(x, k, v, , a, b)")),
    "attention-3d": (_QKV, "", "y, , , s = Attention<q_num_heads=4, kv_num_heads=2>(x, k, v)"),
    "attention-lengths": (f"{_GROUPED}, int64[2] n", "",
                          "y, , , s = Attention(x, k, v, , , , n)"),
    "attention-flex": (_GROUPED, "", "y = ai.onnx.preview.FlexAttention(x, k, v)"),
    "attention-linear": ("float[2,7,32] x, float[2,7,16] k, float[2,7,12] v", "",
                         ('y, s = LinearAttention<q_num_heads=4, kv_num_heads=2,'
                         ' update_rule="linear">(x, k, v)')),
    "causal-conv": ("float[2,8,11] x, float[8,1,4] w", "", "y, s = CausalConvWithState(x, w)"),
    "affine-grid": ("float[2,2,3] x", "int64[4] n = {2,3,5,7}", "y = AffineGrid(x, n)"),
    "affine-grid-3d": ("float[2,3,4] x", "int64[5] n = {2,3,5,7,9}", "y = AffineGrid(x, n)"),
    "dft": ("float[2,9,8,1] x", "int64 n = {16}, int64 a = {1}",
            ("b = DFT<onesided=1>(x) c = DFT(x, n, a) d = DFT<onesided=1>(x, n, a) e = DFT(x)"
            " y = DFT<inverse=1, onesided=1>(b)")),
    "stft": ("float[2,400,1] x, float[64] w", "int64 s = {48}, int64 n = {64}",
             ("a = STFT<onesided=1>(x, s, w) b = STFT<onesided=0>(x, s, , n)"
             " y = STFT<onesided=1>(x, s, w, n)")),
    "windows": ("", ("int64 n = {9}, int64 b = {8}, int64 r = {16000}, float l = {0},"
                " float h = {8000}"), ("a = HannWindow(n) c = BlackmanWindow<output_datatype=11>(n)"
                " y = MelWeightMatrix(b, n, r, l, h)")),
    "max-unpool": ("float[1,2,4,4] x, int64[1,2,4,4] i", "",
                   "y = MaxUnpool<kernel_shape=[2,3], strides=[2,1], pads=[0,1,0,0]>(x, i)"),
    "roi-align": ("float[1,8,20,20] x, float[3,4] r, int64[3] b", "",
                  ("a = RoiAlign(x, r, b)"
                  " y = RoiAlign<output_height=7, output_width=5>(x, r, b)")),
    "max-roi-pool": ("float[1,8,20,20] x, float[3,5] r", "",
                     "y = MaxRoiPool<pooled_shape=[7,5]>(x, r)"),
    "losses": ("float[4,10,6] x, int64[4,6] t", "",
               ('a = NegativeLogLikelihoodLoss(x, t)'
               ' b = NegativeLogLikelihoodLoss<reduction="none">(x, t)'
               ' y, l = SoftmaxCrossEntropyLoss<reduction="none">(x, t)')),
    "optimizers": ("float r, int64 t, float[2,3] x, float[4] w", "",
                   (f"a, b, c, d = {TRAINING}.Adagrad(r, t, x, w, x, w, x, w)"
                   f" e, f, g, h, i, j = {TRAINING}.Adam(r, t, x, w, x, w, x, w, x, w)"
                   f" y, m = {TRAINING}.Momentum<alpha=0.9, beta=1.0, norm_coefficient=0.0,"
                   ' mode="standard">(r, t, x, x, x)')),
    "chance": ("float[4,10] x", "",
               ("a = Multinomial<sample_size=6, dtype=7>(x) b = Bernoulli<dtype=9>(x)"
               " c = RandomNormalLike<dtype=10>(x) y = RandomUniform<shape=[2,3], dtype=11>()")),
    "col2im": ("float[2,18,12] x", "int64[2] i = {5,6}, int64[2] b = {3,3}", "y = Col2Im(x, i, b)"),
    "swiglu": ("float[4,10] x", "", "a = SwiGLU(x, x) y = BitCast<to=6>(a)"),
    "rotary": ("float[2,4,6,8] x, float[50,4] c, int64[2,6] p", "",
               "y = RotaryEmbedding(x, c, c, p)"),
    "strings": ("string[2,3] x, string[3] v", "",
                'a = StringConcat(x, v) y = RegexFullMatch<pattern="a">(a)'),
    "n-grams": ("int64[2,9] x", "",
                ('y = TfIdfVectorizer<mode="TF", min_gram_length=1, max_gram_length=2,'
                " max_skip_count=1, ngram_counts=[0,2], ngram_indexes=[0,1,2,5],"
                " pool_int64s=[1,2,1,2,2,1]>(x)")),
    "features": ("float[4,3] x, int64[2] i", "",
                 (f"a = {ML}.ArrayFeatureExtractor(x, i) b = {ML}.Binarizer(x)"
                 f" c = {ML}.OneHotEncoder<cats_int64s=[1,2]>(x)"
                 f' y = {ML}.LabelEncoder<keys_floats=[1.0], values_strings=["a"]>(x)'
                 f' z = {ML}.CategoryMapper<cats_strings=["a"], cats_int64s=[1]>(i)')),
    "linear": ("float[4,3] x", "",
               (f"a, b = {ML}.LinearClassifier<classlabels_ints=[0,1,2],"
               f" coefficients=[{ones(9)}], intercepts=[{ones(3)}]>(x)"
               f' y, d = {ML}.LinearClassifier<classlabels_strings=["a","b"],'
               f" coefficients=[{ones(3)}], intercepts=[{ones(1)}]>(x)")),
    "center-crop": ("float[8,9,10] x", "int64[2] s = {3,20}",
                    "y = CenterCropPad<axes=[-1,0]>(x, s)"),
    "resize-axes": (MAP, "float[2] r = {0.5,2}, int64[2] n = {7,9}",
                    ("a = Resize<axes=[2,3]>(x, , r)"
                    ' y = Resize<axes=[-1,1], antialias=1, mode="linear">(x, , , n)')),
    "resize-aspect": (MAP, "int64[2] n = {7,9}",
                      ('a = Resize<axes=[2,3], keep_aspect_ratio_policy="not_larger">(x, , , n)'
                      ' y = Resize<axes=[2,3], keep_aspect_ratio_policy="not_smaller">'
                      "(x, , , n)")),
}  # fmt: skip

# Operator set, inputs, constants, nodes as they were written then.
OLD: dict[str, tuple[int, str, str, str]] = {
    "upsample-7": (7, MAP, "", "y = Upsample<scales=[1.0,1.0,1.5,2.0]>(x)"),
    "upsample-9": (9, MAP, "float[4] r = {1,1,2,0.5}", "y = Upsample(x, r)"),
    "resize-10": (10, MAP, "float[4] r = {1,1,2,0.5}", "y = Resize(x, r)"),
    "pad-2": (2, MAP, "", "y = Pad<pads=[0,0,1,-2,0,0,3,4]>(x)"),
    "slice-1": (9, MAP, "", ("a = Slice<starts=[1,-3], ends=[3,9999], axes=[1,3]>(x)"
                " y = Slice<starts=[1], ends=[-1]>(x)")),
    "split-2": (2, MAP, "", "a, b = Split<axis=1, split=[3,5]>(x) y, c = Split<axis=1>(x)"),
    "squeeze-1": (9, "float[2,1,15,1] x", "",
                  "a = Squeeze<axes=[1]>(x) b = Squeeze(x) y = Unsqueeze<axes=[0,3]>(b)"),
    "clip-6": (6, "float[2,8] x", "", "y = Clip<min=0.0, max=6.0>(x)"),
    "dropout-10": (10, "float[2,8] x", "", "y, m = Dropout<ratio=0.5>(x)"),
    "top-k-1": (9, "float[2,8] x", "", "y, i = TopK<k=3>(x)"),
    "add-6": (6, "float[2,3,4,5] x, float[3,4] v", "", "y = Add<axis=1, broadcast=1>(x, v)"),
    "equal-6": (6, "int64[2,3,4,5] x, int64[3,4] v", "", "y = Equal<axis=1, broadcast=1>(x, v)"),
    "scatter-9": (9, "float[3,3] x, int64[1,2] i, float[1,2] u", "", "y = Scatter(x, i, u)"),
    "batch-norm-6": (6, "float[2,3,4,5] x, float[3,4,5] s", "",
                     "y = BatchNormalization<spatial=0>(x, s, s, s, s)"),
    "batch-norm-14": (14, "float[2,3,4,5] x, float[3] s", "",
                      "y, m, v = BatchNormalization<training_mode=1>(x, s, s, s, s)"),
    "reduce-1": (10, "float[2,8,15] x", "",
                 ("a = ReduceMean<axes=[-1]>(x) b = ReduceSum<axes=[0,2], keepdims=0>(x)"
                 " y = ReduceMax(x)")),
    "pool-1": (1, MAP, "", ('a = MaxPool<kernel_shape=[3,3], auto_pad="SAME_LOWER", strides=[2,2]>'
               "(x) y = AveragePool<kernel_shape=[3,2]>(x)")),
    "dft-17": (17, "float[2,9,8,1] x", "", "a = DFT(x) y = DFT<axis=2, onesided=1>(x)"),
    "gemm-6": (6, "float[5,7] x, float[7,4] w, float[4] b", "", "y = Gemm<broadcast=1>(x, w, b)"),
    "sum-6": (6, "float[2,8,15] x", "", "y = Sum(x, x)"),
    "prelu-6": (6, "float[2,8,15] x, float[8] s", "", "y = PRelu(x, s)"),
    "lstm-1": (1, "float[9,2,5] x, float[1,12,5] w, float[1,12,3] r", "",
               "y, h, c = LSTM<hidden_size=3, output_sequence=1>(x, w, r)"),
}  # fmt: skip

# What onnx infers nothing of: the shape and type of y by the operators' definitions at the time.
DEFINED: dict[str, tuple[int, str, str, str, tuple[int, tuple[int, ...]]]] = {
    "upsample-1": (1, MAP, "", "y = Upsample<height_scale=2.0, width_scale=1.5>(x)",
                   (1, (2, 8, 15 * 2, 16))),
    "pad-1": (1, MAP, "", "y = Pad<paddings=[0,0,1,2,0,0,3,4]>(x)",
              (1, (2, 8, 15 + 1 + 3, 11 + 2 + 4))),
    "cast-1": (5, MAP, "", 'y = Cast<to="DOUBLE">(x)', (11, (2, 8, 15, 11))),
    "reshape-1": (4, MAP, "", "y = Reshape<shape=[0,-1]>(x)", (1, (2, 8 * 15 * 11))),
    "tile-1": (5, MAP, "float n = {5}, float a = {1}", "y = Tile(x, n, a)",
               (1, (2, 8 * 5, 15, 11))),
    "concat-1": (1, MAP, "", "y = Concat(x, x)", (1, (2, 8 + 8, 15, 11))),
    "dropout-7": (7, MAP, "", "a, y = Dropout<ratio=0.5>(x)", (1, (2, 8, 15, 11))),
    "max-unpool-to": (22, "float[1,2,4,4] x, int64[1,2,4,4] i", "int64[4] n = {1,2,9,9}",
                      "y = MaxUnpool<kernel_shape=[2,2], strides=[2,2]>(x, i, n)",
                      (1, (1, 2, 9, 9))),
    "attention-present": (23, _QKV, "",
                          "o, k2, y = Attention<q_num_heads=4, kv_num_heads=2>(x, k, v)",
                          (1, (2, 2, 5, 8 // 2))),
    "gradient": (22, "float[4,3] x, float[5] w", "",
                 f'a, y = {TRAINING}.Gradient<xs=["x","w"], y="z">(x, w)', (1, (5,))),
    "map-sparse": (22, "float x", "", f'y = {ML}.CastMap<map_form="SPARSE", max_map=9>(x)',
                   (1, (1, 9))),
}  # fmt: skip

# Compared with what onnxruntime computes: y of ai.onnx.ml, whose shapes onnx does not infer.
LEARNED: dict[str, str] = {
    "scaler": f"y = {ML}.Scaler<offset=[0.0], scale=[1.0]>(x)",
    "imputer": f"y = {ML}.Imputer<imputed_value_floats=[1.0], replaced_value_float=0.0>(x)",
    "normalizer": f"y = {ML}.Normalizer(x)",
    "feature-vectorizer": f"y = {ML}.FeatureVectorizer<inputdimensions=[3,3]>(x, x)",
    "feature-extractor-vector": f"y = {ML}.ArrayFeatureExtractor(v, i)",
    "feature-vectorizer-vectors": f"y = {ML}.FeatureVectorizer<inputdimensions=[3,3]>(v, v)",
    "linear-regressor": f"y = {ML}.LinearRegressor<targets=2, coefficients=[{ones(6)}]>(x)",
    "linear-classifier-vector": (f"l, y = {ML}.LinearClassifier<classlabels_ints=[0,1,2],"
                                 f" coefficients=[{ones(9)}], intercepts=[{ones(3)}]>(v)"),
    "svm-regressor": (f"y = {ML}.SVMRegressor<n_supports=2, support_vectors=[{ones(6)}],"
                      f" coefficients=[{ones(2)}], {_SVM}>(x)"),
    "svm-of-two": (f"l, y = {ML}.SVMClassifier<classlabels_ints=[0,1], vectors_per_class=[2,2],"
                   f" support_vectors=[{ones(12)}], coefficients=[{ones(4)}], {_SVM}>(x)"),
    "svm-of-four": (f"l, y = {ML}.SVMClassifier<classlabels_ints=[0,1,2,3],"
                    f" vectors_per_class=[2,1,2,1], support_vectors=[{ones(18)}],"
                    f" coefficients=[{ones(18)}], {_SVM}>(x)"),
    "svm-probable": (f"l, y = {ML}.SVMClassifier<classlabels_ints=[0,1,2,3],"
                     f" vectors_per_class=[2,1,2,1], support_vectors=[{ones(18)}],"
                     f" coefficients=[{ones(18)}], prob_a=[{ones(6)}], prob_b=[{ones(6)}],"
                     f" {_SVM}>(x)"),
    "svm-linear": (f"l, y = {ML}.SVMClassifier<classlabels_ints=[0,1,2,3],"
                   f" coefficients=[{ones(12)}], {_SVM}>(x)"),
    "tree-regressor": (f"y = {ML}.TreeEnsembleRegressor<{_TREE}, target_treeids=[0,0],"
                       " target_nodeids=[1,2], target_ids=[0,1], target_weights=[1.0,0.2],"
                       " n_targets=2>(x)"),
    "tree-classifier": (f"l, y = {ML}.TreeEnsembleClassifier<{_TREE}, class_treeids=[0,0],"
                        " class_nodeids=[1,2], class_ids=[0,1], class_weights=[1.0,0.2],"
                        " classlabels_int64s=[0,1,2]>(x)"),
    "label-encoder-2": f"y = {ML}.LabelEncoder<keys_int64s=[1], values_floats=[2.0]>(i)",
}  # fmt: skip
