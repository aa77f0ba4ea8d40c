"""Code that the engines that run ONNX graphs share."""
