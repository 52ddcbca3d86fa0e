"""What is new in a fixed model says where it comes from."""

from __future__ import annotations

from onnx import helper

from archlint.analyzer.fix.engine import Subject, rewrite
from archlint.analyzer.inputs import Bindings
from archlint.analyzer.reader.text import from_text
from archlint.rules.unfolded_normalization import UnfoldedNormalization

TEXT = """g (float[1,2,3,3] x) => (float[1,2,3,3] y)
<float[2,2,1,1] w = {1, 2, 3, 4}, float[2] s = {1, 2}, float[2] b = {3, 4}, float[2] m = {5, 6},
float[2] v = {7, 8}> {
    [conv] c = Conv (x, w)
    [norm] y = BatchNormalization (c, s, b, m, v)
}"""


def test_a_folded_layer_keeps_its_name_metadata_and_doc() -> None:
    model = from_text(TEXT)
    conv = model.proto.graph.node[0]
    conv.doc_string = "written by hand"
    helper.set_model_props(model.proto, {"author": "someone"})
    conv.metadata_props.add(key="namespace", value="net/stem")
    fixed = rewrite(Subject(model, Bindings()), [UnfoldedNormalization()]).subject.model.proto
    (node,) = fixed.graph.node
    assert [(entry.key, entry.value) for entry in fixed.metadata_props] == [("author", "someone")]
    assert (node.name, node.op_type, node.doc_string) == ("conv", "Conv", "written by hand")
    assert [(entry.key, entry.value) for entry in node.metadata_props] == [
        ("namespace", "net/stem")
    ]
