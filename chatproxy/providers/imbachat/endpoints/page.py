"""The HTML that loads the widget, to be put into a page.

Source: the vendor's page on its API, "How to enable the widget".
"""

import json
from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

#: The script defines `ImbaChat` when it is ready, and `imbaChat` when it was loaded. It is
#: waited for, since a page may put it anywhere, and may load it late.
TEMPLATE = Markup("""\
<script src="{script_url}"></script>
<button type="button" id="imbachat-dialog">Write a message</button>
<script>
(function load(options) {{
  if (!window.ImbaChat) {{
    return setTimeout(load, 50, options);
  }}
  window.ImbaChat.load(options);
}})({options});
document.getElementById("imbachat-dialog").addEventListener("click", function () {{
  window.imbaChat.openDialog({dialog});
}});
</script>
""")

#: Characters that end a script, begin a comment in one, or end a line of one in old browsers.
ESCAPED = {ord(one): f"\\u{ord(one):04x}" for one in "<>&\u2028\u2029"}


def html(script_url: str, options: Mapping[str, Any], dialog: int) -> str:
    """Return the script's tag, what loads the widget, and a button that opens a dialog."""
    return TEMPLATE.format(
        script_url=script_url, options=_in_a_script(options), dialog=_in_a_script(dialog)
    )


def _in_a_script(value: Any) -> Markup:
    """Write a value as JSON that is safe between `<script>` and `</script>`."""
    return Markup(json.dumps(value).translate(ESCAPED))  # noqa: S704 - escaped here
