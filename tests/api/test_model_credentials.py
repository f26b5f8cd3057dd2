# SPDX-License-Identifier: Apache-2.0
"""Credentials of the kinds of providers: tokens that are exchanged, signed requests, certificates. Checked by a server that
takes nothing else."""
import hashlib
import hmac
import json
import shutil
import ssl
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest
from support.client import Watched, wait_for
from support.images import blocks
from support.model import wml_answer


class Guarded:
    """A model that looks at credentials first: `allowed(headers, path, body)`, and login routes like IBM's."""

    def __init__(self, tls=None):
        guarded = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status, answer = guarded.answer(self.path, self.headers, body)
                data = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

        self.logins, self.scored, self.expires_in = [], 0, 3600
        self.allowed = lambda headers, path, body: True
        self.login_status = 200
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        if tls:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def answer(self, path, headers, body):
        if path in ("/identity/token", "/icp4d-api/v1/authorize"):
            self.logins.append((path, headers["Content-Type"], body.decode()))
            token = f"token-{len(self.logins)}"
            return self.login_status, {"access_token": token, "expires_in": self.expires_in} if "identity" in path else {"token": token}
        if not self.allowed(headers, path, body):
            return 401, {"error": "no"}
        images = json.loads(body)["input_data"][0]["values"]
        self.scored += len(images)
        return 200, wml_answer(images)

    def stop(self):
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def guarded():
    server = Guarded()
    yield server
    server.stop()


def watch(api, server, credentials, service_type="custom_machine_learning"):
    watched = Watched.__new__(Watched)
    watched.client, watched.model, watched.deployment_id, watched.plain = api, server, "d1", False
    body = {"name": "guarded", "service_type": service_type, "credentials": {"url": server.url, **credentials}}
    watched.provider_id = api.post("/v2/service_providers", body)["metadata"]["id"]
    watched.scoring_url = f"{server.url}/ml/v4/deployments/d1/predictions"
    watched.subscription_id = api.add_subscription(watched.provider_id, watched.scoring_url)
    watched.data_set_id = api.data_set_of(watched.subscription_id)
    watched.monitor_id = api.enable_explanations(watched.subscription_id, {"image": {"fill": "black"}})
    return watched


def explain(watched):
    image = blocks()
    record = {"request": {"input_data": [{"values": [image]}]}, "response": wml_answer([image])}
    [scoring_id] = watched.client.post(watched.records_path, [record])["scoring_ids"]
    [task_id] = watched.explain(scoring_id)
    return wait_for(watched.client, task_id)["entity"]


def bearer(token):
    return lambda headers, path, body: headers["Authorization"] == f"Bearer {token}"


def test_an_api_key_of_ibm_cloud_is_exchanged_once(api, guarded):
    guarded.allowed = bearer("token-1")
    key = "a key/with+signs="
    watched = watch(api, guarded, {"apikey": key, "auth_url": f"{guarded.url}/identity/token"}, "watson_machine_learning")
    assert explain(watched)["status"]["state"] == "finished"
    assert explain(watched)["status"]["state"] == "finished"
    [(path, media_type, body)] = guarded.logins
    assert path == "/identity/token" and media_type == "application/x-www-form-urlencoded"
    assert parse_qs(body) == {"grant_type": ["urn:ibm:params:oauth:grant-type:apikey"], "apikey": [key]}
    shown = api.get(f"/v2/service_providers/{watched.provider_id}")["entity"]["credentials"]
    assert set(shown) == {"secret_id"}


@pytest.mark.parametrize("secret, sent", [({"password": "p"}, "password"), ({"apikey": "k"}, "api_key")])
def test_credentials_of_cloud_pak_are_exchanged(api, guarded, secret, sent):
    guarded.allowed = bearer("token-1")
    watched = watch(api, guarded, {"username": "u", **secret}, "watson_machine_learning")
    assert explain(watched)["status"]["state"] == "finished"
    [(path, _, body)] = guarded.logins
    assert path == "/icp4d-api/v1/authorize" and json.loads(body) == {"username": "u", sent: next(iter(secret.values()))}


def test_a_token_is_renewed_before_it_ends(api, guarded):
    guarded.expires_in = 1
    guarded.allowed = lambda headers, path, body: headers["Authorization"] == f"Bearer token-{len(guarded.logins)}"
    watched = watch(api, guarded, {"apikey": "k", "auth_url": f"{guarded.url}/identity/token"})
    assert explain(watched)["status"]["state"] == "finished"
    threading.Event().wait(0.9)
    assert explain(watched)["status"]["state"] == "finished" and len(guarded.logins) == 2


def test_refused_credentials_are_said(api, guarded):
    guarded.login_status = 400
    watched = watch(api, guarded, {"apikey": "wrong", "auth_url": f"{guarded.url}/identity/token"})
    entity = explain(watched)
    assert entity["status"]["state"] == "error" and "credentials were refused with status 400" in json.dumps(entity)
    assert "wrong" not in json.dumps(entity) and guarded.scored == 0


@pytest.mark.parametrize("auth_url", ["https://elsewhere.example/identity/token", "http://iam.cloud.ibm.com/identity/token",
                                      "https://iam.cloud.ibm.com.evil.example/token", "https://evil.example/.cloud.ibm.com"])
def test_keys_are_sent_to_their_own_server_or_to_ibm_only(api, auth_url):
    body = {"name": "x", "service_type": "watson_machine_learning",
            "credentials": {"url": "https://us-south.ml.cloud.ibm.com", "apikey": "k", "auth_url": auth_url}}
    assert api.refused("POST", "/v2/service_providers", 400, json=body)["parameters"] == ["credentials.auth_url"]
    good = body | {"credentials": body["credentials"] | {"auth_url": "https://iam.test.cloud.ibm.com/identity/token"}}
    api.post("/v2/service_providers", good)


# ---- Amazon: signed requests ----

def signature_is_right(headers, path, body, secret="secret/key", region="eu-central-1", service="sagemaker"):
    """AWS Signature Version 4, from its specification."""
    fields = dict(part.strip().split("=", 1) for part in headers["Authorization"].split(" ", 1)[1].split(","))
    key_id, date, *scope = fields["Credential"].split("/")
    if key_id != "AKID" or scope != [region, service, "aws4_request"]:
        return False
    names = fields["SignedHeaders"].split(";")
    url = urlsplit(path)
    canonical = "\n".join(["POST", url.path, url.query, *(f"{n}:{headers[n].strip()}" for n in names), "",
                           fields["SignedHeaders"], hashlib.sha256(body).hexdigest()])
    text = "\n".join(["AWS4-HMAC-SHA256", headers["X-Amz-Date"], "/".join([date, *scope]),
                      hashlib.sha256(canonical.encode()).hexdigest()])
    key = ("AWS4" + secret).encode()
    for part in (date, *scope):
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.compare_digest(hmac.new(key, text.encode(), "sha256").hexdigest(), fields["Signature"])


def test_requests_to_amazon_are_signed(api, guarded):
    seen = []

    def allowed(headers, path, body):
        seen.append(signature_is_right(headers, path, body))
        return seen[-1]

    guarded.allowed = allowed
    watched = watch(api, guarded, {"access_key_id": "AKID", "secret_access_key": "secret/key", "region": "eu-central-1"},
                    "amazon_sagemaker")
    assert explain(watched)["status"]["state"] == "finished", seen
    assert seen and all(seen)


# ---- certificates ----

@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    """An authority of our own, a certificate of the server and one of the client."""
    if not shutil.which("openssl"):
        pytest.skip("openssl is not installed")
    d = tmp_path_factory.mktemp("certificates")

    def run(*words):
        subprocess.run(["openssl", *words], cwd=d, check=True, capture_output=True)

    run("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-out", "ca.pem", "-days", "2", "-subj", "/CN=ca")
    (d / "san").write_text("subjectAltName=IP:127.0.0.1")
    for name in ("server", "client"):
        run("req", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}")
        run("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2",
            "-extfile", "san", "-out", f"{name}.pem")
    return d


@pytest.fixture
def mutual(certificates):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates / "server.pem", certificates / "server.key")
    context.load_verify_locations(certificates / "ca.pem")
    context.verify_mode = ssl.CERT_REQUIRED
    server = Guarded(context)
    yield server
    server.stop()


def pem(certificates, *names):
    return {key: (certificates / name).read_text() for key, name in names}


def test_a_private_authority_and_a_client_certificate(api, mutual, certificates):
    all_three = pem(certificates, ("ca_certificate", "ca.pem"), ("client_certificate", "client.pem"), ("client_key", "client.key"))
    assert explain(watch(api, mutual, all_three))["status"]["state"] == "finished"
    assert mutual.scored > 1


@pytest.mark.parametrize("names", [(), (("ca_certificate", "ca.pem"),),
                                   (("client_certificate", "client.pem"), ("client_key", "client.key"))])
def test_without_one_of_them_the_model_is_not_reached(start_daemon, mutual, certificates, names):
    from support.client import Client
    api = Client(start_daemon(**{"scoring.retries": 0, "explain.retries": 0}).url)
    entity = explain(watch(api, mutual, pem(certificates, *names)))
    assert entity["status"]["state"] == "error" and mutual.scored == 0
