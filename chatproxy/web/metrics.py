"""`/-/metrics`, for Prometheus."""

from flask import Blueprint, Response

from chatproxy.web.current import services
from chatproxy.web.parsing import header

blueprint = Blueprint("status-metrics", __name__)


@blueprint.get("/metrics")
@blueprint.get("/metrics/")
def metrics() -> Response:
    """Answer what all workers have counted together, whichever of them is asked."""
    # Imported here: a sidecar that nobody scrapes needs neither its 1 MB nor what it loads.
    from chatproxy.metrics import exposition

    draining = services().lifetime.is_draining()
    content, content_type = exposition.render(header("Accept") or "", draining=draining)
    return Response(content, content_type=content_type)
