"""The documentation as a site: `make docs`. Pages are Markdown, read on the repository's own pages too."""

import re

project = "secure-torch"
author = "the secure-torch authors"
copyright = author  # noqa: A001
extensions = ["myst_parser"]
source_suffix = {".md": "markdown"}
root_doc = "index"
exclude_patterns = ["requirements.txt"]
html_theme = "furo"
html_title = "secure-torch"
html_static_path = []
html_extra_path = ["schema"]  # as files: the pages link to them
myst_heading_anchors = 3
myst_enable_extensions = ["colon_fence"]
# rego and txtar have no lexer; a page that no menu has is found by what links to it
suppress_warnings = ["misc.highlighting_failure", "toc.not_included"]

_SOURCE = "https://github.com/secure-torch/secure-torch/blob/main/"
_OUTSIDE = re.compile(r"(?<!!)(\[[^\]]*\]\()(?:\.\./)+(?!rules/|docs/)([^)\s]+\))")


def _outside(_app, name, text):
    """A link to a file of the repository that is no page leads to the repository."""
    if name.startswith("editors/"):
        text[0] = text[0].replace("](../../", "](" + _SOURCE)
    elif not name.startswith("rules/"):
        text[0] = _OUTSIDE.sub(lambda m: m[1] + _SOURCE + m[2], text[0])
    text[0] = re.sub(r"\]\((?:\.\./)?schema/([\w-]+\.json)\)", r"](https://github.com/secure-torch/secure-torch/blob/main/docs/schema/\1)", text[0])


def setup(app):
    """Sphinx's hook."""
    app.connect("source-read", _outside)
