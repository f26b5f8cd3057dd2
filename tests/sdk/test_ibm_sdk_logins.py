# SPDX-License-Identifier: Apache-2.0
"""IBM's SDK with each of its authenticators against a daemon with users: the flow of the notebooks, and refusals."""
import uuid

import pytest
import requests
from support.images import as_rgb, blocks, pane
from support.sdk import Flow, ZERO, impatient  # noqa: F401  (a fixture among them)

from ibm_cloud_sdk_core import ApiException  # noqa: E402
from ibm_cloud_sdk_core.authenticators import BearerTokenAuthenticator, CloudPakForDataAuthenticator, IAMAuthenticator  # noqa: E402
from ibm_watson_openscale import APIClient  # noqa: E402
from ibm_watson_openscale.base_classes.watson_open_scale_v2 import CustomCredentials  # noqa: E402
from ibm_watson_openscale.supporting_classes.enums import ServiceTypes  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(autouse=True)
def trusted(users, monkeypatch):
    """Two of the authenticators verify certificates, and the SDK discovers deployments over https."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(users.daemon.data / "tls-cert.pem"))


def cp4d_password(users, name, password):
    return CloudPakForDataAuthenticator(url=users.daemon.url, username=name, password=password,
                                        disable_ssl_verification=True)


def cp4d_key(users, name, password):
    return CloudPakForDataAuthenticator(url=users.daemon.url, username=name, apikey=users.key(name),
                                        disable_ssl_verification=True)


def iam(users, name, password):
    return IAMAuthenticator(apikey=users.key(name), url=users.daemon.url)


def bearer(users, name, password):
    return BearerTokenAuthenticator(users.token(name, password))


AUTHENTICATORS = [cp4d_password, cp4d_key, iam, bearer]


def client_of(users, authenticator, role="editor", instance=ZERO):
    made = authenticator(users, *users.add(role, instance))
    named = {} if instance == ZERO and authenticator is not iam else {"service_instance_id": instance}
    return APIClient(service_url=users.daemon.url, authenticator=made, **named)


@pytest.mark.parametrize("instance", [ZERO, "5a1b2c3d-0000-4000-8000-0123456789ab"], ids=["default", "another"])
@pytest.mark.parametrize("authenticator", AUTHENTICATORS)
def test_the_notebook_runs_with_every_authenticator(users, model, authenticator, instance):
    client, image = client_of(users, authenticator, instance=instance), blocks(30, 30, n=4)
    flow = Flow(client, model, instance)
    assert [mart.metadata.id for mart in client.data_marts.list().result.data_marts] == [instance]
    transaction_id = flow.store(image)
    _, task = flow.explained(f"{transaction_id}-1")
    assert task.entity.status.state == "finished"
    first, second = task.to_dict()["entity"]["explanations"][0]["predictions"]
    assert (pane(first) + pane(second) == as_rgb(image)).all()
    client.subscriptions.delete(flow.subscription_id, force=True, background_mode=False)
    client.service_providers.delete(flow.provider_id, background_mode=False)


@pytest.mark.parametrize("authenticator", AUTHENTICATORS)
def test_a_viewer_is_told_what_is_missing(users, authenticator):
    client = client_of(users, authenticator, role="viewer")
    client.subscriptions.list()
    with pytest.raises(ApiException) as caught:
        client.service_providers.add(name="x", service_type=ServiceTypes.CUSTOM_MACHINE_LEARNING,
                                     credentials=CustomCredentials(url="http://127.0.0.1:9"))
    assert caught.value.code == 403 and "role editor" in caught.value.message


def test_a_wrong_password_is_refused_and_the_answer_shown(users, monkeypatch):
    """The SDK tries a guessed console after a 401; nothing but the daemon is there."""
    send = requests.adapters.HTTPAdapter.send

    def send_to_the_daemon(self, request, **arguments):
        if not request.url.startswith(users.daemon.url):
            raise requests.ConnectionError(request.url)
        return send(self, request, **arguments)

    monkeypatch.setattr(requests.adapters.HTTPAdapter, "send", send_to_the_daemon)
    for authenticator in (CloudPakForDataAuthenticator(url=users.daemon.url, username="admin", password="wrong"),
                          CloudPakForDataAuthenticator(url=users.daemon.url, username="admin", apikey="wrong")):
        with pytest.raises(Exception, match="is wrong|is not known"):
            APIClient(service_url=users.daemon.url, authenticator=authenticator)


def test_a_wrong_iam_key_is_refused_in_ibms_words(users):
    with pytest.raises(ApiException, match="Provided API key could not be found") as caught:
        APIClient(service_url=users.daemon.url, service_instance_id=ZERO,
                  authenticator=IAMAuthenticator(apikey="wrong", url=users.daemon.url))
    assert caught.value.code == 400


def test_another_instance_than_ones_own_is_refused(users):
    with pytest.raises(Exception, match="not authorized to access AI OpenScale instance"):
        APIClient(service_url=users.daemon.url, service_instance_id=str(uuid.uuid4()),
                  authenticator=iam(users, *users.add("editor")))
    with pytest.raises(ApiException) as caught:
        APIClient(service_url=users.daemon.url, service_instance_id=str(uuid.uuid4()),
                  authenticator=cp4d_password(users, *users.add("editor")))
    assert caught.value.code == 404


def test_a_wrong_bearer_token_is_refused(users):
    with pytest.raises(ApiException) as caught:
        APIClient(service_url=users.daemon.url, authenticator=BearerTokenAuthenticator("wrong"))
    assert caught.value.code == 401
