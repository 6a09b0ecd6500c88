# syntax=docker/dockerfile:1
# Two stages: the first installs the pinned packages and the app into /app/venv, the second has
# no pip cache, no compiler and no source, and runs as a user who can write only to /data.
# tests/architecture/test_deployment.py runs these same steps in a clean folder.

FROM python:3.13-slim AS build
WORKDIR /src
COPY requirements/app.txt requirements/app.txt
RUN python -m venv /app/venv \
 && /app/venv/bin/pip install --no-cache-dir --require-hashes -r requirements/app.txt
COPY pyproject.toml README.md ./
COPY src src
COPY migrations migrations
RUN /app/venv/bin/pip install --no-cache-dir --no-deps --no-build-isolation .

FROM python:3.13-slim
RUN useradd --system --uid 10001 --home-dir /data --create-home companion
COPY --from=build /app/venv /app/venv
ENV PATH=/app/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    COMPANION_DATA_DIR=/data \
    COMPANION_LOG_FORMAT=json
USER companion
VOLUME /data
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=3s --start-period=20s --retries=3 \
  CMD ["python", "-c", "import os, urllib.request as r; r.urlopen('http://127.0.0.1:' + os.environ.get('COMPANION_HTTP_PORT', '8080') + '/livez', timeout=2)"]
ENTRYPOINT ["companion"]
CMD ["run"]
