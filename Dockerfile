# The service alone. Its stores and the proxy stand beside it: see docker-compose.yml.

FROM python:3.13-slim-trixie AS build
WORKDIR /build
ENV PIP_CONSTRAINT=/build/constraints.txt \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_ROOT_USER_ACTION=ignore
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY templates templates
COPY static static
COPY languages languages
COPY articles articles
COPY service service
# Without the bundled stores; and every dependency as a wheel, since there is no compiler here either.
RUN python -m venv /opt/afterword \
    && /opt/afterword/bin/python -m pip install --quiet --only-binary :all: . \
    && /opt/afterword/bin/python -m pip uninstall --quiet --yes pip

FROM python:3.13-slim-trixie
RUN useradd --system --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin afterword
COPY --from=build /opt/afterword /opt/afterword
ENV PATH=/opt/afterword/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    AFTERWORD_HOST=0.0.0.0
# An empty folder: `python -m` looks for the module where it is started before it looks where it is installed.
WORKDIR /srv
USER 10001:10001
EXPOSE 8080
STOPSIGNAL SIGTERM
# Alive, not ready: a store that is away for all replicas is no reason to start this one again.
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import http.client as h, os, sys; c = h.HTTPConnection('127.0.0.1', int(os.environ.get('AFTERWORD_PORT') or 8080), timeout=3); c.request('GET', '/healthz'); sys.exit(c.getresponse().status != 200)"]
CMD ["python", "-m", "service"]
