"""Writes the software bill of materials: `python -m release.sbom FILE`.

CycloneDX JSON of what `deploy/image/requirements.txt` puts into the image, the hashes included. The
same input gives the same bytes.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from chatproxy import __version__

ROOT = Path(__file__).parent.parent
LOCK = Path("deploy") / "image" / "requirements.txt"
NAME = "chatproxy"


def bill() -> dict[str, Any]:
    """Return the bill of materials."""
    command = [sys.executable, "-m", "cyclonedx_py", "requirements", str(LOCK)]
    options = ["--output-reproducible", "--output-format=JSON", "--spec-version=1.6"]
    done = subprocess.run(
        [*command, *options], cwd=ROOT, capture_output=True, text=True, check=True
    )
    found: dict[str, Any] = json.loads(done.stdout)

    # The tool reads the package itself from a [project] table only, and ours is in setup.cfg.
    found["metadata"]["component"] = {
        "bom-ref": NAME,
        "type": "application",
        "name": NAME,
        "version": __version__,
        "purl": f"pkg:pypi/{NAME}@{__version__}",
        "licenses": [{"license": {"id": "MIT"}}],
    }
    references = [one["bom-ref"] for one in found["components"]]
    found["dependencies"].append({"ref": NAME, "dependsOn": references})

    for component in found["components"]:
        component.pop("description", None)  # the line of the file, hashes and all, once more

    return found


def main() -> None:
    """Write the bill of materials into a file."""
    path = Path(sys.argv[1])
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(bill(), indent=2) + "\n")
    print(path)


if __name__ == "__main__":
    main()
