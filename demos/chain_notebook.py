# %% [markdown]
# # Backpropagation, one neuron per layer
#
# The simplest network there is: an input, then one neuron in each layer, then a cost.
#
# $$z_k = w_k\,a_{k-1} + b_k \qquad a_k = \sigma(z_k) \qquad C = (a_3 - y)^2$$
#
# We build this network, draw it, and compute every gradient by hand. Run the cells in order, and
# change what you like. The notebook needs only `pip install -e .` in the project's folder.

# %%
from autograd import Value

# %% [markdown]
# ## Build it
#
# A `Value` is a number that remembers how it was computed. A label is its name in the output.

# %%
a0 = Value(0.88, label="a0")
w1, b1 = Value(1.03, label="w1"), Value(-0.16, label="b1")
w2, b2 = Value(-0.96, label="w2"), Value(0.02, label="b2")
w3, b3 = Value(-0.38, label="w3"), Value(0.57, label="b3")
y = 1.0


def layer(k, w, b, a):
    """Build neuron k: compute its weighted sum z and return its activation."""
    z = w * a + b
    z.label = f"z{k}"
    out = z.sigmoid()
    out.label = f"a{k}"
    return out


a1 = layer(1, w1, b1, a0)
a2 = layer(2, w2, b2, a1)
a3 = layer(3, w3, b3, a2)
C = (a3 - y) ** 2
C.label = "C"

# %% [markdown]
# The forward pass is done: every node has its value. A notebook shows the first neuron like this:

# %%
a1

# %% [markdown]
# ## Step backwards
#
# Every edge has a *local* derivative: how much the result changes when its operand changes. Each
# step multiplies the gradient of the result (*upstream*) by the local derivative, and adds the
# product to the gradient of the operand. Here are the first three steps:

# %%
s = C.stepper()
s.n(3)

# %% [markdown]
# A notebook shows the stepper as a player, which opens at the current step. Press **▶**, or click
# into it and use <kbd>→</kbd> and <kbd>←</kbd>. Choose a node to see every path that contributes
# to its gradient. Change the value of a leaf. Press **Quiz me** to be asked for gradients.

# %%
s

# %% [markdown]
# ## Check your own answer
#
# The gradient of $w_3$ is a product of three factors:
# $\partial C/\partial w_3 = 2(a_3 - y) \cdot a_3(1 - a_3) \cdot a_2$.
# Compute it on paper or here, and let the stepper check your answer. The second answer below lacks
# the derivative of the sigmoid, and the stepper names the missing factor.

# %%
by_hand = 2 * (a3.data - y) * a3.data * (1 - a3.data) * a2.data
s.check(w3=by_hand)

# %%
s.check(w3=2 * (a3.data - y) * a2.data)

# %% [markdown]
# ## All at once
#
# `backward()` does all the steps. In the drawing, the thickness of an edge shows the size of its
# contribution to the gradient; positive contributions are blue, negative ones dashed orange. The
# edges get thinner from right to left: the gradient vanishes.

# %%
C.backward()
C.draw()

# %% [markdown]
# ## Explain a gradient
#
# The first weight is far from the cost. Its gradient is the product of all local derivatives on the
# path between them. `explain` writes this product in symbols and in numbers.

# %%
C.explain(w1)

# %% [markdown]
# The gradient predicts how $C$ changes: if $w_1$ changes by a small $\Delta w$, then $C$ changes by
# about the gradient times $\Delta w$. `nudge` changes $w_1$ and compares the prediction with the
# actual change.

# %%
C.nudge(w1, 0.01)

# %% [markdown]
# Which parameter changes the cost most? One of the last layer. The gradients of earlier layers
# contain more derivatives of the sigmoid as factors, and each of these is at most ¼. The table
# shows gradients, which point uphill. The nudge that lowers $C$ is $-\eta\,\partial C/\partial p$.

# %%
C.sensitivity()

# %% [markdown]
# ## Gradient descent
#
# Gradient descent repeats one step: it changes every parameter a little, against its gradient.

# %%
parameters = [w1, b1, w2, b2, w3, b3]
for step in range(5):
    C.zero_grad()
    C.backward()
    for p in parameters:
        p.data -= 2.0 * p.grad
    C.recompute()
    print(f"step {step + 1}: C = {C.data:.4f}")

# %% [markdown]
# ## From one neuron to a network
#
# `nn` builds layers out of the same Values. This network learns exclusive or, which no single
# neuron can.

# %%
import nn

model = nn.MLP(2, [4, 1], "tanh", seed=1)
X, Y = [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0]
cost = nn.binary_cross_entropy_with_logits
trainer = nn.Trainer(model, cost, nn.SGD(model.parameters(), lr=1.0))
trainer.fit(X, Y, epochs=200, batch_size=None)

# %% [markdown]
# The trained network. The thickness of a line shows the size of its weight:

# %%
model

# %% [markdown]
# Every number of the network is still a node, so `explain` works here too:

# %%
logit = model([0, 1])
logit.explain("W1[2,1]")

# %% [markdown]
# `compile` turns the network, which is written scalar by scalar, into matrix code:

# %%
import autograd

network = autograd.compile(model)
network(X)
network
