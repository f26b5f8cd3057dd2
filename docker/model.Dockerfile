# SPDX-License-Identifier: Apache-2.0
# The example model server with a model of handwritten digits, trained while the image is built, to try explaind out:
#   docker build -f docker/model.Dockerfile -t explaind-example-model .
ARG BASE=docker.io/library/debian:bookworm-slim

FROM ${BASE} AS model
RUN apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends ca-certificates python3 python3-venv \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /build
COPY examples/requirements.txt .
RUN python3 -m venv train && train/bin/pip install --no-cache-dir -r requirements.txt
COPY examples/models models
RUN train/bin/python models/digits.py digits.onnx
RUN python3 -m venv /opt/model-server \
    && /opt/model-server/bin/pip install --no-cache-dir -c requirements.txt numpy onnxruntime pillow

FROM ${BASE}
RUN apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends python3 \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/log/apt /var/log/dpkg.log
COPY --from=model /opt/model-server /opt/model-server
COPY --from=model /build/digits.onnx /opt/model-server/digits.onnx
COPY examples/model-server/server.py /opt/model-server/server.py
USER 10001:10001
EXPOSE 8500
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s \
    CMD ["/usr/bin/python3", "-c", \
         "from urllib.request import urlopen; urlopen('http://127.0.0.1:8500/v1/deployments', timeout=4)"]
ENTRYPOINT ["/opt/model-server/bin/python", "/opt/model-server/server.py", "--model", "/opt/model-server/digits.onnx"]
CMD ["--host", "0.0.0.0", "--port", "8500", "--url", "http://model:8500"]
