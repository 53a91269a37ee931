"""`python -m chatproxy.cli …` is `chatproxy …`."""

from chatproxy.cli import main

main()
