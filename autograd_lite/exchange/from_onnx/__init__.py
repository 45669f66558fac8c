"""From an ONNX model to a function of arrays."""
