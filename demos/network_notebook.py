# %% [markdown]
# # Inside a network
#
# A network learns to tell two half moons apart. We train it, look at what it has learned, and open
# it: every weight, sum and activation is a number that we can ask for its gradient. Run the cells
# in order, and change what you like. The notebook needs `pip install -e '.[notebook]'` in the
# project's folder.

# %%
import numpy as np

import nn

# %% [markdown]
# ## The points
#
# Each example is a point $(x_1, x_2)$ with its moon as a label. The network learns from 80 of them,
# and is judged by others that it never saw.


# %%
def moons(count, seed):
    """Return points on two half circles with some noise, and the names of their moons."""
    rng = np.random.default_rng(seed)
    angles = rng.uniform(0.0, np.pi, count)
    lower = np.arange(count) % 2 == 1
    x1 = np.where(lower, 1.0 - np.cos(angles), np.cos(angles))
    x2 = np.where(lower, 0.5 - np.sin(angles), np.sin(angles))
    X = np.column_stack([x1, x2]) + rng.normal(0.0, 0.1, (count, 2))
    return X, ["lower" if low else "upper" for low in lower]


X, y = moons(80, seed=0)
held_out = moons(80, seed=1)

# %% [markdown]
# ## The network
#
# Two inputs, six hidden neurons, one output: the *logit* $z$, which is to be positive for the upper
# moon and negative for the lower one. The thickness of a line shows the size of its weight. Before
# the training, all weights are random.

# %%
model = nn.MLP(2, [6, 1], "tanh", seed=3)
model

# %% [markdown]
# ## Training
#
# Each step changes every weight a little, against its gradient of the cost. `fit` does this for all
# points, 60 times over, and returns the record of it. The second curve is the cost of the points
# that the network does not learn from.

# %%
loss = nn.binary_cross_entropy_with_logits
trainer = nn.Trainer(model, loss, nn.Adam(model.parameters(), lr=0.05))
history = trainer.fit(X, y, epochs=60, batch_size=16, validation=held_out, progress=False)
history

# %% [markdown]
# The line where $z = 0$ is the boundary between the two answers. One neuron would draw it straight;
# six of them bend it around the moons. These are the points that the network never saw:

# %%
nn.plots.decision_regions(model, *held_out)

# %% [markdown]
# What the network computes is two lines of NumPy:

# %%
W1, b1, W2, b2 = (np.array(weights) for weights in model.state_dict().values())
hidden = np.tanh(W1 @ X[0] + b1)
z = W2 @ hidden + b2
print(f"by hand {z[0]:.4f}, the network {model(X[0]).data:.4f}")

# %% [markdown]
# ## Open one example
#
# The cost of one point is a graph of scalar operations, as small as this network. It tells which
# weights would change this cost most. The nudge that lowers it goes against the gradient.

# %%
upper = 1
cost = loss(model(X[0]), upper)
cost.label = "C"
cost.sensitivity()

# %% [markdown]
# And why is a gradient what it is? `explain` writes it as a product of local derivatives, along the
# path from the cost to the weight.

# %%
cost.explain("W2[0,0]")

# %% [markdown]
# ## Play it back
#
# The page shows the training epoch by epoch: press **Play**. Choose a point of your own with a
# click into the plane, and a neuron to see what it responds to. `model.save_html("network.html")`
# writes the same page to a file.

# %%
model.page(history=history, data=(X, y), loss=loss, title="two moons")
