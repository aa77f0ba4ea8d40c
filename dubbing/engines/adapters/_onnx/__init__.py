"""What the engines of ONNX graphs are made of."""
