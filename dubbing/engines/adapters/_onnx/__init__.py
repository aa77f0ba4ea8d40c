"""Shared by the engines that run ONNX graphs."""
