"""A prompt with one-letter commands for the stepper, which `demos.chain --interactive` starts."""

from __future__ import annotations

import ast
import cmd
import math
import operator
from collections.abc import Callable

from autograd import Value

SIGNS: dict[type[ast.AST], Callable[..., float]] = {
    **{ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul},
    **{ast.Div: operator.truediv, ast.USub: operator.neg, ast.UAdd: operator.pos},
    ast.Pow: math.pow,
}
TYPED_SIGNS = str.maketrans({"−": "-", "·": "*", "×": "*", "÷": "/", "^": "**"})
LONGEST = 200  # largest number of characters of a typed number
# Phrases of the library's messages, and what the prompt prints in their place.
REWORDED = {
    "explain() lists them": "e lists them, as in e w1",
    "pass the node itself, not its name": "give one that is the only one",
}


def read_count(text: str) -> int:
    """Read a number of steps; an empty text means one.

    >>> read_count(""), read_count("5")
    (1, 5)
    """
    if text and not (text.isdecimal() and int(text)):
        raise ValueError(f"how many steps? A whole number goes here, as in n 5; got {text!r}")
    return int(text or 1)


def calculate(text: str) -> float:
    """Compute the value of a number, or of arithmetic with numbers, as typed.

    Raises:
        ValueError: the text is anything else, or has no finite value.

    >>> calculate("1/3"), calculate("0.2 * -0.5"), calculate("2·(0.5 − 1)^2")
    (0.3333333333333333, -0.1, 0.5)
    """
    expected = f"give a number or arithmetic with numbers, as in 0.2*-0.5 or 1/3; got {text!r}"
    try:
        if len(text) > LONGEST:
            raise ValueError
        value = _value(ast.parse(text.strip().translate(TYPED_SIGNS), mode="eval").body)
    except ArithmeticError as error:
        raise ValueError(f"{text!r} has no value: {error}") from None
    except (SyntaxError, ValueError):
        raise ValueError(expected) from None
    if not math.isfinite(value):
        raise ValueError(f"{text!r} has no finite value")
    return value


def _value(node: ast.expr) -> float:
    match node:
        case ast.Constant(value=bool()):
            pass
        case ast.Constant(value=int() | float() as number):
            return float(number)
        case ast.BinOp(left=left, op=sign, right=right) if type(sign) in SIGNS:
            return SIGNS[type(sign)](_value(left), _value(right))
        case ast.UnaryOp(op=sign, operand=operand) if type(sign) in SIGNS:
            return SIGNS[type(sign)](_value(operand))
    raise ValueError("not arithmetic with numbers")


def reword(text: object) -> str:
    """Return a message of the library, with its functions replaced by the prompt's commands."""
    message = str(text)
    for elsewhere, here in REWORDED.items():
        message = message.replace(elsewhere, here)
    return message


class SteppingPrompt(cmd.Cmd):
    """A prompt whose commands drive the stepper of one output."""

    prompt = "(step) "
    intro = (
        "\nStep through the backward pass. The gradient of the output by itself is 1.\n"
        "  n, n 5     do the next step, or five      b, b 5     undo\n"
        "  u w1       run until w1 is complete       p          print the table\n"
        "  c w1=-0.2  check your own answer          e w1       explain it\n"
        "  r          run to the end                 reset      start again\n"
        "  q          go on with the demo            ?          these lines\n"
        "Numbers may be worked out: c w1=0.2*-0.5. quit, exit and help are known as well.\n"
    )

    def __init__(self, output: Value) -> None:
        super().__init__()
        self.output = output
        self.stepper = output.stepper()

    def converse(self) -> None:
        """Take commands until the learner leaves, with q, Ctrl-D or Ctrl-C."""
        try:
            self.cmdloop()
        except KeyboardInterrupt:
            print()

    def onecmd(self, line: str) -> bool:
        """Run one command; print the message if it fails, and stay at the prompt."""
        try:
            return bool(super().onecmd(line))
        except (KeyError, TypeError, ValueError) as error:
            print(reword(error))
            return False

    def emptyline(self) -> bool:
        """Ignore an empty line; by default `cmd` would repeat the last command."""
        return False

    def default(self, line: str) -> bool:  # type: ignore[override]  # cmd reads what it returns
        """Leave at the end of input; report any other unknown command."""
        if line == "EOF":
            print()
            return True
        print(f"there is no command {line.split()[0]!r}; ? lists them")
        return False

    def do_n(self, count: str) -> None:
        """Do the next step, or the next few."""
        self.stepper.next(read_count(count))

    def do_b(self, count: str) -> None:
        """Undo the last step, or the last few."""
        self.stepper.back(read_count(count))

    def do_u(self, label: str) -> None:
        """Run until the gradient of a node is complete."""
        if not label:
            raise ValueError("until which gradient is complete? Name its node, as in u w1")
        self.stepper.until(label)

    def do_p(self, _: str) -> None:
        """Print the table so far."""
        print(self.stepper)

    def do_c(self, guess: str) -> None:
        """Check the learner's own answer."""
        label, equals, number = guess.rpartition("=")
        if not (equals and label.strip()):
            raise ValueError(f"give a label and a number, as in c w1=-0.2; got {guess!r}")
        print(reword(self.stepper.check({label.strip(): calculate(number)})))

    def do_e(self, label: str) -> None:
        """Explain a gradient."""
        if not label:
            raise ValueError("which gradient? Name its node, as in e w1")
        print(self.output.explain(label))

    def do_r(self, _: str) -> None:
        """Run to the end."""
        self.stepper.run()

    def do_reset(self, _: str) -> None:
        """Start again."""
        self.stepper.reset()
        print("at the start: no step done")

    def do_help(self, _: str) -> None:
        """List the commands."""
        print(self.intro)

    def do_q(self, _: str) -> bool:
        """Leave the prompt."""
        return True

    do_quit = do_exit = do_q
