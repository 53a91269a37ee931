"""The HTML that loads the widget in a page.

Source: the vendor's page on its API, "How to enable the widget".
"""

import json
from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

#: The script defines `ImbaChat` when it is ready, and `imbaChat` once that has loaded. A page
#: may load the script late, so this code polls for it, as the vendor's samples do.
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

#: Characters that could end the script element, start a comment in it, or end a line of
#: JavaScript before ES2019.
ESCAPED = {ord(one): f"\\u{ord(one):04x}" for one in "<>&\u2028\u2029"}


def html(script_url: str, options: Mapping[str, Any], dialog: int) -> str:
    """Return the script, the code that loads the widget, and a button that opens a dialog."""
    # `Markup.format` escapes the URL for the attribute; the other two are escaped already.
    return TEMPLATE.format(
        script_url=script_url, options=_in_a_script(options), dialog=_in_a_script(dialog)
    )


def _in_a_script(value: Any) -> Markup:
    return Markup(json.dumps(value).translate(ESCAPED))  # noqa: S704 - escaped here
