"""Configuration of Sphinx for the site: `make docs` builds it into build/docs."""

from __future__ import annotations

import os
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))
os.environ["AUTOGRAD_PURE"] = "1"  # the Python functions have signatures and sources

import nn  # noqa: E402
from docs import docstrings, formulas, lessons, links, notebooks, reference  # noqa: E402

project = "scalar-autograd"
author = copyright = "the scalar-autograd developers"
extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
    "sphinx_design",
]
highlight_language = "none"
exclude_patterns = ["*.py"]
html_extra_path = [str(lessons.SERVED)]

myst_enable_extensions = ["colon_fence", "attrs_block", "dollarmath"]
myst_heading_anchors = 3
suppress_warnings = ["myst.header"]  # a part of the README may begin below its top

nb_execution_mode = "off"  # a notebook is stored with what its cells show
nb_merge_streams = True
html_math_renderer = "mathml"

autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
napoleon_numpy_docstring = False
napoleon_use_rtype = False
napoleon_use_ivar = True
napoleon_custom_sections = ["Source", "Sources"]
python_display_short_literal_types = True
python_maximum_signature_line_length = 88
add_module_names = False
toc_object_entries_show_parents = "hide"

html_theme = "pydata_sphinx_theme"
html_context = {"default_mode": "auto"}
html_title = "scalar-autograd"
html_sidebars: dict[str, list[str]] = {
    name: [] for name in ("start", "playground", "network", "rules", "house", "speed")
}
html_static_path = ["static"]
html_css_files = ["site.css"]
html_show_sourcelink = False
html_copy_source = False
html_show_search_summary = False  # a page opened from a file may not fetch others
html_theme_options = {
    "show_prev_next": True,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
    "navigation_with_keys": False,
    "header_links_before_dropdown": 6,
    "navbar_persistent": ["search-button"],
}
pygments_style = "default"


def setup(app: object) -> None:
    """Make the pages that are made of docstrings and of lessons, before Sphinx reads them."""
    lessons.write()
    nn.playground(lessons.OUTPUT / "playground.html")
    notebooks.write()
    reference.write()
    docstrings.connect(app)
    links.connect(app)
    formulas.connect(app)
