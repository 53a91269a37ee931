# The sidecar's image. Name the base with its digest, so that a tag that moves changes nothing:
#
#   docker buildx build --build-arg BASE=python:3.13-slim@sha256:… --tag chatproxy:0.1.0 .
#
# `docker buildx imagetools inspect python:3.13-slim` tells the digest. It has no default: one that
# is written here would be old before it is read.
ARG BASE

# Builds the wheel, and installs it with exactly the packages that are listed, by their hashes.
FROM ${BASE} AS packages
WORKDIR /build
COPY deploy/image/build-requirements.txt deploy/image/requirements.txt ./
RUN ["python", "-m", "venv", "/build/tools"]
RUN ["/build/tools/bin/python", "-m", "pip", "install", "--no-cache-dir", "--disable-pip-version-check", "--require-hashes", "-r", "build-requirements.txt"]
# Without pip: in the image nothing can be installed.
RUN ["python", "-m", "venv", "--without-pip", "/opt/chatproxy"]
RUN ["/build/tools/bin/python", "-m", "pip", "--python", "/opt/chatproxy/bin/python", "install", "--no-cache-dir", "--disable-pip-version-check", "--only-binary=:all:", "--require-hashes", "-r", "requirements.txt"]
COPY setup.cfg pyproject.toml MANIFEST.in README.md LICENSE ./source/
COPY chatproxy ./source/chatproxy
RUN ["/build/tools/bin/python", "-m", "pip", "wheel", "--disable-pip-version-check", "--no-build-isolation", "--no-deps", "--no-index", "--wheel-dir", "/build/wheels", "./source"]
RUN ["/build/tools/bin/python", "-m", "pip", "--python", "/opt/chatproxy/bin/python", "install", "--no-cache-dir", "--disable-pip-version-check", "--no-deps", "--no-index", "--find-links", "/build/wheels", "chatproxy"]
WORKDIR /build/empty

# What both images below are made of.
FROM ${BASE} AS installed
# The base comes without the standard library's compiled modules. With a root that is read only every
# start would compile them anew.
RUN ["python", "-m", "compileall", "-q", "-x", "site-packages", "/usr/local/lib"]
COPY --from=packages /opt/chatproxy /opt/chatproxy
# For a SQLite file where one is used: mount a volume here. All else can be read only but /tmp.
COPY --from=packages --chown=10001:10001 /build/empty /data
WORKDIR /data
ENV PATH=/opt/chatproxy/bin:/usr/local/bin:/usr/bin:/bin \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1
USER 10001:10001

# The stand-in for Stream's server, for the compose file. Nothing of it is in the sidecar's image.
FROM installed AS sandbox
COPY sandbox /opt/sandbox/sandbox
WORKDIR /opt/sandbox
EXPOSE 3001
STOPSIGNAL SIGTERM
CMD ["python", "-m", "sandbox", "serve", "--host", "0.0.0.0", "--port", "3001", "--beyond-loopback"]

FROM installed AS sidecar
LABEL org.opencontainers.image.title="chatproxy" \
      org.opencontainers.image.description="A sidecar that holds a chat provider's credentials, forwards its REST calls and issues its tokens" \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.licenses="MIT"
# Service, client and status door. Which of them listen, and where, is a matter of the settings.
EXPOSE 3000 3003 3004
STOPSIGNAL SIGTERM
# It exits with 0 or 1 by what `/-/healthz` answers; no shell and no curl are needed.
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 CMD ["chatproxy", "health"]
CMD ["chatproxy", "serve"]
