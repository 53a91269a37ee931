"""What tests of forwarding share."""

from pathlib import Path

import pytest
import trustme


@pytest.fixture(scope="package")
def authority(tmp_path_factory: pytest.TempPathFactory) -> tuple[trustme.CA, Path]:
    """An authority of the tests' own, and the file with its certificate."""
    made = trustme.CA()
    path = tmp_path_factory.mktemp("ca") / "ca.pem"
    made.cert_pem.write_to_path(str(path))
    return made, path
