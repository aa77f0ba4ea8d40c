# One image for every role; the command selects it: worker ENGINE, worker assembly, flower, submit…,
# or engine-server ENGINE with EXTRAS=engine-server,… for a card that has neither Redis nor storage.
#
# BASE is any image with Python 3.11 to 3.14, also for a GPU: the wheels of GPU engines include CUDA,
# and the driver comes from the host. EXTRAS are extras of pyproject.toml. All packages have the
# version and the hash of uv.lock.
ARG BASE=python:3.12-slim

FROM python:3.12-slim AS build
WORKDIR /src
RUN mkdir /wheels && pip install --no-cache-dir uv==0.13.9
COPY pyproject.toml uv.lock ./
RUN uv export --frozen --no-emit-project --only-group build --output-file build.txt \
    && pip install --no-cache-dir --require-hashes --requirement build.txt
ARG EXTRAS=espeak,flower,gateway
RUN uv export --frozen --no-emit-project --no-dev $(printf -- '--extra %s ' $(echo "$EXTRAS" | tr , ' ')) \
        --output-file /wheels/requirements.txt
COPY README.md SECURITY.md CHANGELOG.md LICENSE NOTICE ./
COPY docs docs
COPY dubbing dubbing
COPY tasks tasks
COPY workers workers
RUN uv build --wheel --no-build-isolation --out-dir /wheels

FROM ${BASE}
COPY --from=build /wheels /wheels
RUN python3 -m pip install --no-cache-dir --require-hashes --requirement /wheels/requirements.txt \
    && python3 -m pip install --no-cache-dir --no-deps /wheels/*.whl
# Films are assembled in /scratch; a volume mounted there gets the owner of this folder.
RUN useradd --create-home --uid 10001 dubbing && install --directory --owner dubbing /scratch
ENV TMPDIR=/scratch
USER dubbing
WORKDIR /home/dubbing
ENTRYPOINT ["dubbing"]
