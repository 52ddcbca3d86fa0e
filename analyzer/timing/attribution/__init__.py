"""From the kernels of the graph that onnxruntime made to the nodes of the model."""
