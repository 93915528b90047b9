# The product without Rasa: web app, worker, action server, editor. One image, four commands (see compose.yaml).
FROM python:3.11-slim-bookworm AS build
WORKDIR /srv
RUN python -m venv /srv/.venv
COPY requirements.lock .
# The CPU build of torch: uv knows where PyTorch keeps it.
RUN /srv/.venv/bin/pip install --no-cache-dir "$(grep -E '^uv==' requirements.lock)" \
 && /srv/.venv/bin/uv pip install --no-cache --python /srv/.venv/bin/python --torch-backend cpu "$(grep -E '^torch==' requirements.lock)" \
 && /srv/.venv/bin/pip install --no-cache-dir -r requirements.lock
COPY knowledge knowledge
RUN OMP_NUM_THREADS=1 /srv/.venv/bin/python -m knowledge export-encoder
COPY channels channels
COPY bot bot
RUN OMP_NUM_THREADS=1 /srv/.venv/bin/python -m bot train-concern

FROM python:3.11-slim-bookworm
RUN apt-get update && apt-get install -y --no-install-recommends libgomp1 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --uid 10001 --home-dir /srv nwd && install -d -o nwd -g nwd /data
WORKDIR /srv
COPY --from=build /srv/.venv .venv
COPY --from=build /srv/.build .build
COPY . .
ENV PATH=/srv/.venv/bin:$PATH NWD_DEMO=0 NWD_HOST=0.0.0.0 NWD_DATA_DIR=/data NWD_BUILD_DIR=/srv/.build \
    NWD_ENCODER_DIR=/srv/.build/minilm OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 PYTHONUNBUFFERED=1
USER nwd
VOLUME /data
CMD ["python", "-m", "channels", "app"]
