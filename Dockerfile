# syntax=docker/dockerfile:1
# The project as an image: Java, the locked packages, the project's wheel and its settings.
# Data come and go by a volume at /home/sparkify/data, or by another conf/ that says where they are.
#
#   docker build --tag sparkify .
#   docker run --rm --volume "$PWD/data:/home/sparkify/data" sparkify --env mini
#
# Tags move; for an image that is the same next year, put the digest behind them that
# `docker buildx imagetools inspect python:3.11-slim-bookworm` prints: python:3.11-slim-bookworm@sha256:…

FROM python:3.11-slim-bookworm AS wheel
WORKDIR /source
COPY . .
RUN pip wheel --no-cache-dir --no-deps --wheel-dir /wheels .

FROM python:3.11-slim-bookworm
# Debian removes a package's old versions from its mirrors: pinned by the release's 17.* alone.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends "openjdk-17-jre-headless=17.*" procps=2:4.* \
    && rm -rf /var/lib/apt/lists/*
RUN useradd --create-home --uid 1000 sparkify
COPY requirements.txt /tmp/requirements.txt
RUN pip install --no-cache-dir --no-deps --require-hashes --requirement /tmp/requirements.txt
COPY --from=wheel /wheels /wheels
RUN pip install --no-cache-dir --no-deps /wheels/*.whl
COPY conf /opt/sparkify/conf
# Spark's classes in an archive: every start is several seconds shorter.
RUN python -m sparkify.spark.jvm_options
USER 1000
WORKDIR /home/sparkify
ENTRYPOINT ["python", "-m", "sparkify", "--conf-source", "/opt/sparkify/conf"]
