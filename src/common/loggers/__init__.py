"""Dashboards: W&B, TensorBoard, CSV."""
