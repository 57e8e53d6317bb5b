"""Makes the README's pictures of the pages: animations of the chain and of the playground, and two
networks' pages.

python -m tests.film
"""

from __future__ import annotations

import io
import tempfile
from pathlib import Path

from PIL import Image

import nn
from demos import chain, digits, names

from .browsing import chromium

GALLERY = Path(__file__).parent.parent / "demos" / "gallery"
FILM, LEARNING, DIGITS, NAMES = (
    GALLERY / name for name in ("chain.gif", "playground.gif", "digits-page.png", "names-page.png")
)
SPIRALS = "#data=spirals&layers=6,4&optimizer=adam&lr=0.02&noise=0.1"
EPOCHS = [0, 1, 2, 3, 5, 7, 10, 14, 20, 30, 45, 70, 110]
THREE = [(30, 22), (50, 15), (68, 24), (66, 40), (46, 48), (68, 56), (72, 74), (52, 86), (28, 80)]
WINDOW = {"width": 830, "height": 620}  # of the chain: as wide as a repository page shows it
WIDTH = 980  # of the other pictures, in pixels
FORWARD, BACKWARD, END = 450, 900, 3500  # milliseconds a step is shown


def frames(page: Path) -> list[tuple[Image.Image, int]]:
    """Take a picture of each step, with the time it is shown."""
    taken = []
    with chromium() as browser:
        window = browser.new_page(viewport=WINDOW, color_scheme="light")
        window.goto(page.as_uri())
        for part in window.locator("header, .controls").all():
            part.evaluate("part => { part.style.display = 'none'; }")
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
    return [(picture_of(png), duration) for png, duration in taken]


def picture_of(png: bytes) -> Image.Image:
    return Image.open(io.BytesIO(png)).convert("RGB")


def shrunk(png: bytes) -> Image.Image:
    """Resize a screenshot to `WIDTH`."""
    picture = picture_of(png)
    height = round(picture.height * WIDTH / picture.width)
    return picture.resize((WIDTH, height), Image.Resampling.LANCZOS)


def drawn_on(page: Path) -> bytes:
    """Draw a digit on the page, and take a screenshot."""
    with chromium() as browser:
        window = browser.new_page(viewport={"width": 1310, "height": 960}, color_scheme="light")
        window.goto(page.as_uri())
        pad = window.locator("#pad").bounding_box()
        for i, (across, down) in enumerate(THREE):
            window.mouse.move(
                pad["x"] + across / 100 * pad["width"], pad["y"] + down / 100 * pad["height"]
            )
            if i == 0:
                window.mouse.down()
        window.mouse.up()
        return bytes(window.screenshot())


def typed_on(page: Path) -> bytes:
    """Type the beginning of a name on the page, and take a screenshot."""
    with chromium() as browser:
        window = browser.new_page(viewport={"width": 1310, "height": 750}, color_scheme="light")
        window.goto(page.as_uri())
        window.fill("#prefix", "mari")
        window.evaluate("document.activeElement.blur()")
        return bytes(window.screenshot())


def main() -> None:
    """Write all pictures."""
    write_film()
    write_learning()
    with tempfile.TemporaryDirectory() as folder:
        page = Path(digits.main(out=folder)["page"])
        shrunk(drawn_on(page)).quantize(128).save(DIGITS, optimize=True)
        page = Path(names.main(out=folder)["page"])
        shrunk(typed_on(page)).quantize(128).save(NAMES, optimize=True)


def write_film() -> None:
    """Write the animation of the chain."""
    built = chain.build("sigmoid", 2, 0)
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder, "chain.html")
        built.cost.save_html(page, parameters=built.parameters, title=chain.TITLE)
        write_animation(FILM, frames(page))


def write_learning() -> None:
    """Write the animation of the playground."""
    taken = []
    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        page = Path(nn.playground(Path(folder, "playground.html")))
        window = browser.new_page(viewport={"width": 1310, "height": 650}, color_scheme="light")
        window.goto(page.as_uri() + SPIRALS)
        done = 0
        for epoch in EPOCHS:
            for _ in range(done, epoch):
                window.click("#epoch")
            done = epoch
            window.evaluate("document.activeElement.blur()")
            taken.append((shrunk(window.screenshot()), END if epoch == EPOCHS[-1] else FORWARD))
    write_animation(LEARNING, taken)


def write_animation(path: Path, taken: list[tuple[Image.Image, int]]) -> None:
    """Write pictures, each with the milliseconds that it is shown."""
    pictures, durations = zip(*taken)
    # All pictures use one palette, of the colours of the first and of the last one
    first, last = pictures[0], pictures[-1]
    both = Image.new("RGB", (first.width, first.height + last.height))
    both.paste(first, (0, 0))
    both.paste(last, (0, first.height))
    palette = both.quantize(128, Image.Quantize.MAXCOVERAGE, kmeans=2)
    first, *rest = (
        picture.quantize(palette=palette, dither=Image.Dither.NONE) for picture in pictures
    )
    first.save(path, save_all=True, append_images=rest, duration=durations, loop=0, optimize=True)


if __name__ == "__main__":
    main()
