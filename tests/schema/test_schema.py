# SPDX-License-Identifier: Apache-2.0
"""
Requests made from openapi.yaml, good and bad ones: none is answered with a 5xx, and each answer is in the contract.

The judge of all tests (conftest.py) watches, too: what was accepted must be in the contract. EXPLAIND_FULL=1 tries more.
"""
import os

import pytest
import schemathesis
import yaml
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from support.client import Client, Watched
from support.images import gradient
from support.paths import OPENAPI
from support.receiver import new_secret

ZERO = "00000000-0000-0000-0000-000000000000"
EXAMPLES = 100 if os.environ.get("EXPLAIND_FULL") == "1" else 8
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]

DAEMON_SETTINGS = {"http__stream_timeout_ms": 300}  # streams of events would go on

# Without users, any credentials of any form are good: nothing is outside the contract there. And the contract itself is
# a string in openapi.yaml, which schemathesis parses.
schema = (schemathesis.openapi.from_dict(yaml.safe_load(OPENAPI.read_text()))
          .exclude(path="/openapi.yaml").exclude(path_regex="/(predictions|online)$").exclude(tag="login"))


@pytest.fixture(scope="module")
def existing(module_daemon, stub_model) -> dict:
    """Ids of things that exist, by the names that paths have for them."""
    watched = Watched(Client(module_daemon.url, ZERO), stub_model)
    task_id, _ = watched.explained(gradient(8, 8))
    [row] = watched.values()
    webhook = watched.client.post("/v2/webhooks", {
        "target": {"target_type": "subscription", "target_id": watched.subscription_id},
        "url": "http://127.0.0.1:9/", "secret": new_secret()})
    return {"data_mart_id": ZERO, "service_provider_id": watched.provider_id,
            "subscription_id": watched.subscription_id, "data_set_id": watched.data_set_id,
            "monitor_instance_id": watched.monitor_id, "task_id": task_id,
            "transaction_id": row["transaction_id"], "record_id": row["scoring_id"], "scoring_id": row["scoring_id"],
            "deployment_id": watched.deployment_id, "monitor_definition_id": "explainability",
            "webhook_id": webhook["metadata"]["id"], "binding_id": watched.provider_id, "configuration": "explainability"}


@schema.parametrize()
@settings(max_examples=EXAMPLES, deadline=None, derandomize=True, database=None,
          phases=[Phase.explicit, Phase.generate], suppress_health_check=list(HealthCheck))
def test_the_contract_holds_for_generated_requests(case, module_daemon, existing):
    if case.method != "DELETE":
        for name in case.path_parameters or {}:
            case.path_parameters[name] = existing.get(name, case.path_parameters[name])
    case.validate_response(case.call(base_url=module_daemon.url, timeout=60), checks=CHECKS)
    assert module_daemon.process.poll() is None
