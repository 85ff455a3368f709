"""Nets as ONNX files: written, described, opened, whoever wrote them."""
