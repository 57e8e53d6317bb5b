"""What PyTorch, scikit-learn and Keras have under other names, and what is nearest here."""

from __future__ import annotations

OF_NN = {
    **{"AdamW": "nn.Adam(..., weight_decay=λ), which adds λ·w to the gradient"},
    **dict.fromkeys(("RMSprop", "Adagrad", "Adadelta", "NAdam", "RAdam"), "nn.Adam"),
    **dict.fromkeys(("LBFGS", "Rprop"), "nn.SGD(..., momentum=0.9) or nn.Adam"),
    **{"Parameter": "autograd.Value", "Tensor": "autograd.Value"},
    **dict.fromkeys(("ModuleList", "ModuleDict", "ParameterList"), "a plain list or dict"),
    **{"functional": "nn itself, as in nn.cross_entropy", "F": "nn itself, as in nn.cross_entropy"},
    **{"lr_scheduler": "nn itself, as in nn.StepLR"},
    **{"Dense": "nn.Linear", "MaxPooling2D": "nn.MaxPool2d", "LogSoftmax": "autograd.log_softmax"},
    **{"BatchNorm1d": "nn.LayerNorm", "BatchNorm2d": "nn.LayerNorm", "GroupNorm": "nn.LayerNorm"},
    **{"Hardtanh": "autograd.clip", "Swish": "nn.SiLU", "SmoothL1Loss": "nn.L1Loss or nn.MSELoss"},
    **{"SoftMarginLoss": "nn.BCEWithLogitsLoss", "MultiMarginLoss": "nn.HingeLoss"},
    **{"MLPClassifier": "nn.sklearn.MLPClassifier", "MLPRegressor": "nn.sklearn.MLPRegressor"},
    **{"utils": "nn itself, as in nn.clip_grad_norm_"},
}
"""What `torch.nn`, `torch.optim` and others have."""

OF_MODULES = {
    **dict.fromkeys(("to", "cuda", "cpu", "double", "float"), "not needed: numbers are Python's"),
    **dict.fromkeys(("fit", "compile"), "nn.Trainer(model, loss, optimizer).fit(X, y)"),
    **{"evaluate": "nn.Trainer(model, loss, optimizer).evaluate(X, y)"},
    **{"predict_proba": "autograd.softmax of model(x), or model.predict(X)"},
    **{"summary": "nn.draw(model)", "weights": "model.parameters()"},
    **{"requires_grad_": "an optimiser that is given only the parameters to move"},
    **{"get_weights": "model.state_dict()", "set_weights": "model.load_state_dict(...)"},
}
OF_TRAINERS = {
    **{"predict": "trainer.model.predict(X)", "score": "trainer.evaluate(X, y)"},
    **{"train": "trainer.fit(X, y)", "test": "trainer.evaluate(X, y)"},
}
OF_OPTIMIZERS = {"param_groups": "optimizer.lr and its other settings, for all its params"}
OF_HISTORIES = {"history": "its lists, as in history.losses", "epoch": "history.epochs"}
