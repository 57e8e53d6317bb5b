"""Estimators for scikit-learn: networks of scalar neurons behind scikit-learn's interface.

`MLPClassifier` and `MLPRegressor` take the parameters of scikit-learn's classes of the same names.
For the same `random_state` they draw the same first weights and the same batches, and so learn the
same weights, up to rounding. The trained network is `model_`, a module of `nn`; `draw`, `explain`
and `save_html` show it.

They need the extra `sklearn`: `pip install 'scalar-autograd[sklearn]'`.

>>> from nn.sklearn import MLPClassifier
>>> X, y = [[0, 0], [0, 1], [1, 0], [1, 1]], ["no", "yes", "yes", "no"]    # exclusive or
>>> xor = MLPClassifier((4,), "tanh", solver="lbfgs", random_state=1).fit(X, y)
>>> xor.predict(X).tolist(), len(xor.model_.parameters())
(['no', 'yes', 'yes', 'no'], 17)
"""

from .classifier import MLPClassifier
from .regressor import MLPRegressor

__all__ = ["MLPClassifier", "MLPRegressor"]
