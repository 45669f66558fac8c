"""From the program of a function to an ONNX model."""
