# SPDX-License-Identifier: Apache-2.0
"""
IBM's own Python SDK (ibm-watson-openscale) as the client, the way its image notebooks use it: once over http, with
asset discovery over https on the same port, and once over https altogether.
"""
import datetime
import io
import time
import types
import uuid
import warnings

import pytest
import requests
from support.images import as_rgb, blocks, pane
from support.model import deployment

pytest.importorskip("ibm_watson_openscale", reason="ibm-watson-openscale is not installed")
pytest.importorskip("tabulate", reason="tabulate, which the SDK's tables need, is not installed")

from ibm_cloud_sdk_core import ApiException  # noqa: E402
from ibm_cloud_sdk_core.authenticators import (  # noqa: E402
    BearerTokenAuthenticator, CloudPakForDataAuthenticator, IAMAuthenticator)
from ibm_watson_openscale import APIClient  # noqa: E402
from ibm_watson_openscale.base_classes.watson_open_scale_v2 import (  # noqa: E402
    Asset, AssetDeploymentRequest, AssetPropertiesRequest, CustomCredentials, JsonPatchOperation, PatchDocument,
    Records, ScoringEndpointRequest, Target, WMLCredentialsCP4D)
from ibm_watson_openscale.supporting_classes.enums import (  # noqa: E402
    AssetTypes, DataSetTypes, DeploymentTypes, InputDataType, ProblemType, ServiceTypes, TargetTypes)
from ibm_watson_openscale.supporting_classes.payload_record import PayloadRecord  # noqa: E402
from ibm_watson_openscale.utils import utils as sdk_utils  # noqa: E402

ZERO = "00000000-0000-0000-0000-000000000000"
DEPLOYMENT = "dfa52430-7b1f-4b0b-9f0e-2f5a6c4f7d10"

@pytest.fixture(autouse=True, scope="module")
def impatient():
    """The SDK waits 5 s before it looks at anything; nothing here needs that."""
    clock = sdk_utils.time
    sdk_utils.time = types.SimpleNamespace(time=time.time, sleep=lambda seconds: None)
    yield
    sdk_utils.time = clock


@pytest.fixture(scope="module", params=["http", "https"])
def service_url(request, module_daemon):
    warnings.simplefilter("ignore")
    return f"{request.param}://127.0.0.1:{module_daemon.port}"


@pytest.fixture(scope="module")
def client(service_url):
    authenticator = CloudPakForDataAuthenticator(url=service_url, username="admin", password="secret",
                                                 disable_ssl_verification=True)
    return APIClient(service_url=service_url, authenticator=authenticator)


class Flow:
    """The notebook's variables."""

    def __init__(self, client, model, data_mart_id=ZERO):
        self.client, self.model = client, model
        model.deployments = [deployment(model.url, DEPLOYMENT), deployment(model.url, "another")]
        provider = client.service_providers.add(
            name=f"models {uuid.uuid4()}", description="of the test", service_type=ServiceTypes.CUSTOM_MACHINE_LEARNING,
            credentials=CustomCredentials(url=model.url, username="u", password="p"), background_mode=False)
        self.provider_id = provider.result.metadata.id
        self.asset = client.service_providers.get_deployment_asset(
            data_mart_id=data_mart_id, service_provider_id=self.provider_id, deployment_id=DEPLOYMENT)
        self.scoring_url = f"{model.url}/ml/v4/deployments/{DEPLOYMENT}/predictions"
        subscription = client.subscriptions.add(
            data_mart_id=data_mart_id, service_provider_id=self.provider_id, background_mode=False,
            asset=Asset(asset_id="asset", name="Dog-Cat binary", url="http://models.example/asset",
                        asset_type=AssetTypes.MODEL, input_data_type=InputDataType.UNSTRUCTURED_IMAGE,
                        problem_type=ProblemType.BINARY_CLASSIFICATION),
            deployment=AssetDeploymentRequest(deployment_id=DEPLOYMENT, name="Dog-Cat binary deployment",
                                              deployment_type=DeploymentTypes.ONLINE,
                                              scoring_endpoint=ScoringEndpointRequest(url=self.scoring_url)),
            asset_properties=AssetPropertiesRequest(probability_fields=["probability"]))
        self.subscription_id = subscription.result.metadata.id
        data_sets = client.data_sets.list(type=DataSetTypes.PAYLOAD_LOGGING, target_target_id=self.subscription_id,
                                          target_target_type=TargetTypes.SUBSCRIPTION)
        [data_set] = data_sets.result.data_sets
        self.data_set_id = data_set.metadata.id
        instance = client.monitor_instances.create(
            data_mart_id=data_mart_id, background_mode=False,
            monitor_definition_id=client.monitor_definitions.MONITORS.EXPLAINABILITY.ID,
            target=Target(target_type=TargetTypes.SUBSCRIPTION, target_id=self.subscription_id),
            parameters={"enabled": True, "image": {"fill": "black"}})
        self.monitor_id = instance.result.metadata.id

    def score(self, image):
        request = {"input_data": [{"values": [image]}]}
        return request, requests.post(self.scoring_url, json=request, timeout=30).json()

    def store(self, image=None, scoring_id=None, **more):
        request, response = self.score(image or blocks())
        record = PayloadRecord(request=request, response=response, scoring_id=scoring_id or uuid.uuid4().hex, **more)
        self.client.data_sets.store_records(data_set_id=self.data_set_id, request_body=[record], background_mode=False)
        return record.scoring_id

    def explained(self, scoring_id, types=("lime",)):
        tasks = self.client.monitor_instances.explanation_tasks(
            scoring_ids=[scoring_id], explanation_types=list(types), subscription_id=self.subscription_id).result
        [task_id] = tasks.metadata.explanation_task_ids
        deadline = time.monotonic() + 60
        while True:
            task = self.client.monitor_instances.get_explanation_tasks(
                explanation_task_id=task_id, subscription_id=self.subscription_id).result
            if task.entity.status.state != "in_progress":
                return task_id, task
            assert time.monotonic() < deadline
            time.sleep(0.05)


@pytest.fixture(scope="module")
def flow(client, module_model):
    return Flow(client, module_model)


def start(guid):
    """What a printed table shows of an id before it breaks the line."""
    return guid.split("-")[0]
