"""`python -m tests.openapi.check`: schemathesis, all checks, on a sidecar with every provider on.

The sidecar stands before stand-ins for the providers' servers, on a directory of its own, with
limits that are out of the way. `st` is looked for in PATH, or is what SCHEMATHESIS names; it has an
environment of its own. Further arguments go to `st run`.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

from chatproxy.signing.tokens import mint
from tests.calls import call
from tests.openapi.house import LOGIN, PASSWORD, House, house

HERE = Path(__file__).parent
RULES = HERE / "schemathesis.toml"
USER = "tried-by-schemathesis"


def main() -> int:
    """Run it; return its exit code."""
    program = shutil.which(os.environ.get("SCHEMATHESIS", "st"))

    if program is None:
        print("schemathesis is not here: make openapi-check installs it", file=sys.stderr)
        return 3

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)

        with house(folder / "sidecar.log", folder) as furnished:
            config = folder / "schemathesis.toml"
            config.write_text(RULES.read_text() + credentials_of(furnished))
            url = f"{furnished.sidecar.url}/documentation/json"
            done = subprocess.run(
                [
                    str(Path(program).absolute()),
                    "--config-file",
                    str(config),
                    "run",
                    url,
                    *sys.argv[1:],
                ],
                env=os.environ | hooks_of(furnished),
                cwd=folder,
                check=False,
            )
            tell(furnished)

    return done.returncode


def credentials_of(furnished: House) -> str:
    """Return the lines with the credential for each security scheme.

    The user's are not those of the examples' user, whom the examples revoke and delete.
    """
    key, port = furnished.key["apiKey"], furnished.sidecar.port
    tokens = call(port, "POST", "/tokens", f"X-API-Key: {key}", body={"userId": USER}).json
    client = {"_id": USER, "issueAccessToken": True}
    made = call(port, "POST", "/imkit/admin/clients", f"IM-API-KEY: {key}", body=client).json
    keys = {
        "chatsdkKey": key,
        "imkitKey": key,
        "imkitKeyDeprecated": key,
        "imkitClientKey": furnished.client_key,
        "imkitClientKeyDeprecated": furnished.client_key,
        "imkitToken": made["result"]["token"],
    }
    bearers = {
        "chatsdkToken": tokens["token"],
        "chatsdkRefreshToken": tokens["token"],
        "chatsdkWsToken": tokens["wsToken"],
        "performchatToken": furnished.performchat["token"],
    }
    lines = [f'{name} = {{ api_key = "{text}" }}' for name, text in keys.items()]
    lines += [f'{name} = {{ bearer = "{text}" }}' for name, text in bearers.items()]
    ours = mint({}, f"{LOGIN}:{PASSWORD}")
    lines += [f'imbachatToken = {{ api_key = "{ours}" }}']
    lines += [f'imbachatLogin = {{ username = "{LOGIN}", password = "{PASSWORD}" }}']
    return "\n".join(["", "[auth.openapi]", *lines, ""])


def hooks_of(furnished: House) -> dict[str, str]:
    """Return the environment of the hooks."""
    real = {"cu_…": furnished.performchat_id, "it_…": furnished.imkit_token}
    halves = {name: furnished.key[name] for name in ("keyId", "keySecret")}
    return {
        "SCHEMATHESIS_HOOKS": str(HERE / "hooks.py"),
        "REAL_CREDENTIALS": json.dumps(real),
        "KEY_HALVES": json.dumps(halves),
    }


def tell(furnished: House) -> None:
    """Print how many requests there were, and how they were answered."""
    statuses = Counter(
        line["http"]["response"]["statusCode"] for line in furnished.sidecar.completed()
    )
    listed = ", ".join(f"{number} of {status}" for status, number in sorted(statuses.items()))
    print(f"{statuses.total()} requests reached the application: {listed}")


if __name__ == "__main__":
    sys.exit(main())
