# syntax=docker/dockerfile:1
# The tool and its registry: our wheels are built from this tree, everything else comes from a hashed lock.
FROM python:3.12.8-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 SOURCE_DATE_EPOCH=1735689600
WORKDIR /src
COPY build.lock ops/images/treaty.lock ./
RUN python -m venv /build && /build/bin/pip install --require-hashes -r build.lock \
 && python -m venv /app && /app/bin/pip install --require-hashes --only-binary :all: -r treaty.lock
COPY platform ./platform
COPY codegen ./codegen
RUN /build/bin/pip wheel --no-deps --no-build-isolation --wheel-dir /wheels ./platform/avro ./platform/runtime ./platform/tool ./codegen \
 && /app/bin/pip install --no-deps --no-index /wheels/*.whl

FROM python:3.12.8-slim-bookworm
LABEL org.opencontainers.image.title="treaty" org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /app /app
ENV PATH=/app/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 MALLOC_ARENA_MAX=2
USER 10001:10001
WORKDIR /app
ENTRYPOINT ["treaty"]
CMD ["--help"]
