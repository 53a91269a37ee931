"""`python -m chatproxy`."""

from chatproxy.cli import main

main()
