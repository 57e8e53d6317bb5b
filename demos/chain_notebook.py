# %% [markdown]
# # Backpropagation, one neuron per layer
#
# The simplest network there is: an input, then one neuron in each layer, then a cost.
#
# $$z_k = w_k\,a_{k-1} + b_k \qquad a_k = \sigma(z_k) \qquad C = (a_3 - y)^2$$
#
# We build it, look at it, and follow every gradient back by hand. Run the cells in order, and
# change what you like: `pip install -e .` in the project's folder is all that is needed.

# %%
from autograd import Value

# %% [markdown]
# ## Build it
#
# A `Value` is a number that remembers how it was made. A label is only a name to call it by.

# %%
a0 = Value(0.88, label="a0")
w1, b1 = Value(1.03, label="w1"), Value(-0.16, label="b1")
w2, b2 = Value(-0.96, label="w2"), Value(0.02, label="b2")
w3, b3 = Value(-0.38, label="w3"), Value(0.57, label="b3")
y = 1.0


def layer(k, w, b, a):
    """One neuron: its weighted sum z, and its activation."""
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
# Forward is done: every node has its value. The first neuron alone, as a notebook shows it:

# %%
a1

# %% [markdown]
# ## Step backwards
#
# Backpropagation asks one thing of every edge: how much does this node move when that one does?
# Each step multiplies what has arrived (*upstream*) by that *local* derivative, and adds the
# product to the gradient of the operand. Three steps, by hand:

# %%
s = C.stepper()
s.n(3)

# %% [markdown]
# The stepper itself is a player. It opens where we are: press **▶**, or click into it and use
# <kbd>→</kbd> and <kbd>←</kbd>; choose a node to see every path its gradient came by; change a
# leaf; press **Quiz me** and be asked.

# %%
s

# %% [markdown]
# ## Check your own answer
#
# The gradient of $w_3$ is three factors:
# $\partial C/\partial w_3 = 2(a_3 - y) \cdot a_3(1 - a_3) \cdot a_2$.
# Work it out on paper, or here, and have it checked. The second answer forgets the sigmoid's slope,
# and is told so.

# %%
by_hand = 2 * (a3.data - y) * a3.data * (1 - a3.data) * a2.data
s.check(w3=by_hand)

# %%
s.check(w3=2 * (a3.data - y) * a2.data)

# %% [markdown]
# ## All at once
#
# `backward()` does all the steps. In the drawing an edge is as thick as what flows back along it;
# blue adds, dashed orange takes away. From right to left the edges grow thin: a vanishing
# gradient.

# %%
C.backward()
C.draw()

# %% [markdown]
# ## Why is it what it is?
#
# The first weight is far from the cost. Its gradient is the product of all that lies between: in
# symbols, then in numbers.

# %%
C.explain(w1)

# %% [markdown]
# A gradient is a promise: move $w_1$ by a little, and $C$ moves by the gradient times as much. So
# move it, and see how well the promise is kept.

# %%
C.nudge(w1, 0.01)

# %% [markdown]
# And which parameter moves the cost most? The late ones: the early ones sit behind many slopes of
# the sigmoid, none of which is above ¼.

# %%
C.sensitivity()

# %% [markdown]
# ## Downhill
#
# Gradient descent takes every parameter a small step against its gradient, again and again.

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
# What it has become: a line is as thick as its weight is large.

# %%
model

# %% [markdown]
# Every one of its numbers is still a node that can be asked why:

# %%
logit = model([0, 1])
logit.explain("W0[2,1]")

# %% [markdown]
# And written scalar by scalar, it runs as matrix code:

# %%
import autograd

network = autograd.compile(model)
network(X)
network
