"""The examples at the end of a command's help."""


def examples(*lines: str) -> str:
    """Return the epilog of a command; click keeps the lines of a paragraph that begins so."""
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)
