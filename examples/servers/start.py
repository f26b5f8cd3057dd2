#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Starts one of the model servers that explaind is tested with, serving an ONNX image classifier on 127.0.0.1.

    PYTHON start.py mlserver|kserve|triton|azure|sagemaker|fastapi --model FILE.onnx --port N

PYTHON is that of an environment with the server's packages (requirements-*.txt here; scripts/setup --servers makes
them in .cache/servers). It runs until SIGTERM.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
BIN = Path(sys.executable).parent


def write(directory, name, text):
    (directory / name).write_text(text if isinstance(text, str) else json.dumps(text))


def mlserver(directory, port):
    write(directory, "settings.json", {"host": "127.0.0.1", "http_port": port, "grpc_port": port + 1,
                                       "metrics_port": port + 2, "parallel_workers": 0})
    write(directory, "model-settings.json", {"name": "classifier",
                                             "implementation": "mlserver_runtime.OnnxRuntime"})
    return [BIN / "mlserver", "start", directory]


def kserve(directory, port):
    return [sys.executable, HERE / "kserve_server.py", "--http_port", str(port)]


def triton(directory, port):
    return [sys.executable, HERE / "triton_server.py"]


def azure(directory, port):
    os.environ.update(AML_APP_ROOT=str(HERE), AZUREML_ENTRY_SCRIPT="azure_score.py")
    return [BIN / "gunicorn", "-b", f"127.0.0.1:{port}", "azureml_inference_server_http.server.entry:app"]


def sagemaker(directory, port):
    store = directory / "store"
    store.mkdir()
    for name in ("sagemaker_service.py", "onnx_model.py"):
        write(directory, name, (HERE / name).read_text())
    (directory / "src").mkdir()
    for name in ("sagemaker_service.py", "onnx_model.py"):
        (directory / name).rename(directory / "src" / name)
    subprocess.run([BIN / "model-archiver", "--model-name", "classifier", "--model-path", directory / "src",
                    "--handler", "sagemaker_service:handle", "--export-path", store, "-f"], check=True)
    os.environ["TMPDIR"] = str(directory)  # where it keeps its process id
    write(directory, "config.properties", "\n".join([
        f"inference_address=http://127.0.0.1:{port}", f"management_address=http://127.0.0.1:{port + 1}",
        f"model_store={store}", "load_models=classifier=classifier.mar", "default_workers_per_model=1",
        "max_request_size=67108864", "vmargs=-Xmx128m -XX:MaxDirectMemorySize=128m"]))
    return [BIN / "multi-model-server", "--start", "--foreground", "--mms-config", directory / "config.properties"]


def fastapi(directory, port):
    return [BIN / "uvicorn", "upload_app:app", "--host", "127.0.0.1", "--port", str(port)]


SERVERS = {function.__name__: function for function in (mlserver, kserve, triton, azure, sagemaker, fastapi)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("server", choices=SERVERS)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--port", type=int, required=True)
    arguments = parser.parse_args()
    directory = Path(tempfile.mkdtemp(prefix=f"{arguments.server}-"))
    os.environ.update(MODEL_FILE=str(arguments.model.resolve()), PORT=str(arguments.port),
                      PYTHONPATH=f"{HERE}:{os.environ.get('PYTHONPATH', '')}", PATH=f"{BIN}:{os.environ['PATH']}")
    command = [str(word) for word in SERVERS[arguments.server](directory, arguments.port)]
    os.chdir(directory)
    os.execv(command[0], command)


if __name__ == "__main__":
    main()
