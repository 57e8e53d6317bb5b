"""The moving picture of the README: the page of the chain, playing both passes.

python -m tests.film
"""

from __future__ import annotations

import io
import tempfile
from pathlib import Path

from PIL import Image

from demos import chain

from .browsing import chromium

FILM = Path(__file__).parent.parent / "demos" / "gallery" / "chain.gif"
WINDOW = {"width": 1310, "height": 560}
WIDTH = 980  # of the film, in pixels
FORWARD, BACKWARD, END = 450, 900, 3500  # milliseconds that a step is seen


def frames(page: Path) -> list[tuple[Image.Image, int]]:
    """A picture of each step, and how long it is seen."""
    taken = []
    with chromium() as browser:
        window = browser.new_page(viewport=WINDOW, color_scheme="light")
        window.goto(page.as_uri())
        last = int(window.get_attribute("#slider", "max"))
        for position in range(last + 1):
            height = window.evaluate("document.querySelector('.legend').offsetTop") + 26
            taken.append(
                (
                    window.screenshot(
                        clip={"x": 0, "y": 0, "width": WINDOW["width"], "height": height}
                    ),
                    END
                    if position == last
                    else BACKWARD
                    if window.inner_text("#title").startswith("backward")
                    else FORWARD,
                )
            )
            window.keyboard.press("ArrowRight")
    return [(shrunk(png), duration) for png, duration in taken]


def shrunk(png: bytes) -> Image.Image:
    """A screenshot at the film's width."""
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    height = round(picture.height * WIDTH / picture.width)
    return picture.resize((WIDTH, height), Image.Resampling.LANCZOS)


def main() -> None:
    """Write the film."""
    built = chain.build("sigmoid", 2, 0)
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder, "chain.html")
        built.cost.save_html(page, parameters=built.parameters, title=chain.TITLE)
        pictures, durations = zip(*frames(page))
    # One palette for all, made from the last: it shows every colour
    palette = pictures[-1].quantize(128, Image.Quantize.MAXCOVERAGE)
    first, *rest = (
        picture.quantize(palette=palette, dither=Image.Dither.NONE) for picture in pictures
    )
    first.save(FILM, save_all=True, append_images=rest, duration=durations, loop=0, optimize=True)
    print(f"{FILM}: {FILM.stat().st_size / 1000:,.0f} kB")


if __name__ == "__main__":
    main()
