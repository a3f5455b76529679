"""Fitting the models of a bundle: the optional extra ``train`` (PyTorch, LightGBM, ONNX); serving has none of it."""
