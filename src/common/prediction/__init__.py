"""predict.py: a trained model on a part of the data, photos or videos."""
