"""Compile a function of Values: trace its scalar graph once, and run it as NumPy code.

`stages` runs these, in this order:

    trace       run the function on one row of the arguments, and record the graph (tracer, hidden,
                errors, and each_row for what the function may do in each row)
    reach       find what else the function reads (foreign, sources), and guard it against changes
                (guard)
    program     store the graph as data
    passes      rewrite it: fold constants, merge equal nodes, collect sums and dot products
    groups      group the scalars that one array statement can compute
    roll        store each group in an array, and turn it into a statement
    emit        write the statements as NumPy source (forward, backward, view, expression)
    version     execute the source, and check it against the engine
"""

from .compile import compile
from .compiled import Compiled
from .each_row import drawn, require
from .trace import Trace, record_trace

__all__ = ["Compiled", "Trace", "compile", "drawn", "record_trace", "require"]
