# One image for every role; the command says which: worker ENGINE, worker assembly, flower, submit…,
# or engine-server ENGINE with EXTRAS=engine-server,… for a card that has neither Redis nor storage.
#
# BASE is any image with Python 3.11 or newer. A GPU needs no other one: the wheels of GPU engines
# bring CUDA along, and the driver comes from the host. EXTRAS are those of pyproject.toml.
ARG BASE=python:3.12-slim

FROM python:3.12-slim AS build
WORKDIR /src
RUN pip install --no-cache-dir build
COPY pyproject.toml README.md LICENSE NOTICE ./
COPY dubbing dubbing
COPY tasks tasks
COPY workers workers
RUN python -m build --wheel --outdir /wheels

FROM ${BASE}
ARG EXTRAS=espeak,flower,gateway
COPY --from=build /wheels /wheels
RUN python3 -m pip install --no-cache-dir "$(ls /wheels/*.whl)[${EXTRAS}]"
# Films are assembled in /scratch; a volume that is mounted there takes over its owner.
RUN useradd --create-home --uid 10001 dubbing && install --directory --owner dubbing /scratch
ENV TMPDIR=/scratch
USER dubbing
WORKDIR /home/dubbing
ENTRYPOINT ["dubbing"]
