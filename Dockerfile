# syntax=docker/dockerfile:1
# The project as an image: Java, the locked packages, the project's wheel and its settings.
# Data are in a volume at /home/sparkify/data, or where another conf/ sets their path.
#
#   docker build --tag sparkify .
#   docker run --rm --volume "$PWD/data:/home/sparkify/data" sparkify --env mini
#
# Tags move. For a reproducible image, append the digest that
# `docker buildx imagetools inspect python:3.11-slim-bookworm` prints: python:3.11-slim-bookworm@sha256:…

FROM python:3.11-slim-bookworm AS wheel
WORKDIR /source
COPY . .
RUN pip wheel --no-cache-dir --no-deps --wheel-dir /wheels .

FROM python:3.11-slim-bookworm
# Debian's mirrors drop old versions, so only the major version is pinned.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends "openjdk-17-jre-headless=17.*" procps=2:4.* \
    && rm -rf /var/lib/apt/lists/*
RUN useradd --create-home --uid 1000 sparkify
COPY requirements.txt /tmp/requirements.txt
RUN pip install --no-cache-dir --no-deps --require-hashes --requirement /tmp/requirements.txt
COPY --from=wheel /wheels /wheels
RUN pip install --no-cache-dir --no-deps /wheels/*.whl
COPY conf /opt/sparkify/conf
# An archive of Spark's classes saves several seconds at every start.
RUN python -m sparkify.spark.jvm_options
USER 1000
WORKDIR /home/sparkify
ENTRYPOINT ["python", "-m", "sparkify", "--conf-source", "/opt/sparkify/conf"]
