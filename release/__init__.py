"""What builds, checks and describes a release. Not in the package.

| module | what |
|---|---|
| `contents` | what must be in the wheel and the sdist, and nothing else |
| `smoke` | installs each alone, on every Python that there is, and uses it |
| `installed` | what `smoke` does with what was installed |
| `image` | builds the image's layout in a folder, uses and measures it |
| `folder`, `dockerfile` | how it is built: by the Dockerfile's own steps |
| `lock` | the exact packages of the image, with their hashes |
| `sbom` | the bill of materials of the image |
| `check` | whether this commit can be released |
"""
