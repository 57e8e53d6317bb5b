"""The stepper at a prompt: one-letter commands for a learner."""

from __future__ import annotations

import cmd

from autograd import Value


def counted(text: str) -> int:
    """A number of steps as typed, one if none is.

    >>> counted(""), counted("5")
    (1, 5)
    """
    if text and not text.isdecimal():
        raise ValueError(f"how many steps? A whole number goes here, as in n 5; got {text!r}")
    return int(text or 1)


class SteppingPrompt(cmd.Cmd):
    """A small command set over the stepper of one output."""

    prompt = "(step) "
    intro = (
        "\nStep through the backward pass. The gradient of the output by itself is 1.\n"
        "  n, n 5     do the next step, or five      b, b 5     undo\n"
        "  u w1       run until w1 is complete       p          print the table\n"
        "  c w1=-0.2  check your own answer          e w1       explain it\n"
        "  r          run to the end                 reset      start again\n"
        "  q          go on with the demo            ?          these lines\n"
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
        """Run one command; a wrong one explains itself and the prompt goes on."""
        try:
            return bool(super().onecmd(line))
        except (KeyError, TypeError, ValueError) as error:
            print(error)
            return False

    def emptyline(self) -> bool:
        """An empty line does nothing."""
        return False

    def default(self, line: str) -> bool:
        """An unknown command."""
        if line == "EOF":
            print()
            return True
        print(f"there is no command {line.split()[0]!r}; ? lists them")
        return False

    def do_n(self, count: str) -> None:
        """The next step, or the next few."""
        self.stepper.next(counted(count))

    def do_b(self, count: str) -> None:
        """Back."""
        self.stepper.back(counted(count))

    def do_u(self, label: str) -> None:
        """Until a gradient is complete."""
        if not label:
            raise ValueError("until which gradient is complete? Name its node, as in u w1")
        self.stepper.until(label)

    def do_p(self, _: str) -> None:
        """The table so far."""
        print(self.stepper)

    def do_c(self, guess: str) -> None:
        """Check an answer worked out by hand."""
        label, _, number = guess.partition("=")
        try:
            value = float(number)
        except ValueError:
            raise ValueError(f"give a label and a number, as in c w1=-0.2; got {guess!r}") from None
        print(self.stepper.check({label.strip(): value}))

    def do_e(self, label: str) -> None:
        """Explain a gradient."""
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
