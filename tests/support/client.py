# SPDX-License-Identifier: Apache-2.0
"""A client of one data mart. Every answer is judged by the contract (see conftest.py), expected statuses here."""
import time
import uuid

import requests
from support.data import until as wait_until

EXPECTED = {"GET": 200, "POST": 202, "PATCH": 200, "PUT": 200, "DELETE": 202, "HEAD": 200}
FINISH_SECONDS = 120
POLL_SECONDS = 0.02


class Client:
    def __init__(self, url: str, instance: str | None = None, authorization: str | None = None):
        """`instance` None = a data mart of its own, so that tests sharing a daemon do not see each other."""
        self.url = url
        self.instance = instance or str(uuid.uuid4())
        self.base = f"{url}/openscale/{self.instance}"
        self.session = requests.Session()
        self.session.trust_env = False
        if authorization:
            self.session.headers["Authorization"] = authorization

    def request(self, method, path, expect=None, **arguments):
        base = "" if path.startswith("http") else self.base
        response = self.session.request(method, base + path, timeout=120, **arguments)
        expect = EXPECTED[method] if expect is None else expect
        accepted = expect if isinstance(expect, tuple) else (expect,)
        assert response.status_code in accepted, f"{method} {path}: {response.status_code} {response.text[:2000]}"
        return response

    def get(self, path, expect=None, **params):
        return self.request("GET", path, expect, params=params).json()

    def post(self, path, body, expect=None, **params):
        return self.request("POST", path, expect, json=body, params=params).json()

    def patch(self, path, operations, expect=None):
        return self.request("PATCH", path, expect, json=operations).json()

    def delete(self, path, expect=None, **params):
        return self.request("DELETE", path, expect, params=params).json()

    def refused(self, method, path, status, **arguments) -> dict:
        """The first error of a refused request."""
        return self.request(method, path, status, **arguments).json()["errors"][0]

    # ---- the usual steps ----

    def add_provider(self, url="http://127.0.0.1:9", name="models", **more) -> str:
        body = {"name": name, "service_type": "custom_machine_learning", "credentials": {"url": url}, **more}
        return self.post("/v2/service_providers", body)["metadata"]["id"]

    def subscription_body(self, provider_id, scoring_url, deployment_id="d1", problem_type="binary", **more) -> dict:
        return {
            "data_mart_id": self.instance,
            "service_provider_id": provider_id,
            "asset": {"asset_id": f"asset-{deployment_id}", "asset_type": "model", "name": "a model",
                      "url": "http://models.example/1", "problem_type": problem_type,
                      "input_data_type": "unstructured_image"},
            "deployment": {"deployment_id": deployment_id, "name": "a deployment", "deployment_type": "online",
                           "scoring_endpoint": {"url": scoring_url}},
            "asset_properties": {"probability_fields": ["probability"]},
            **more,
        }

    def add_subscription(self, provider_id, scoring_url="http://127.0.0.1:9/ml/v4/deployments/d1/predictions",
                         **more) -> str:
        body = self.subscription_body(provider_id, scoring_url, **more)
        return self.post("/v2/subscriptions", body)["metadata"]["id"]

    def data_set_of(self, subscription_id) -> str:
        found = self.get("/v2/data_sets", **{"target.target_id": subscription_id, "type": "payload_logging"})
        assert len(found["data_sets"]) == 1
        return found["data_sets"][0]["metadata"]["id"]

    def enable_explanations(self, subscription_id, parameters=None) -> str:
        body = {"data_mart_id": self.instance, "monitor_definition_id": "explainability",
                "target": {"target_type": "subscription", "target_id": subscription_id},
                "parameters": {"enabled": True, **(parameters or {})}}
        return self.post("/v2/monitor_instances", body)["metadata"]["id"]


# The models of the tests look at mean brightness, which the default fill (a zone's mean colour) leaves as it is.
BLACK = {"image": {"fill": "black"}}


class Watched:
    """A deployed model under watch: provider, subscription, payload data set, explanations enabled."""

    def __init__(self, client: Client, model, deployment_id="d1", enabled=True, parameters=BLACK, path=None, **more):
        """`path` None = WML v4; any other is asked in the plain form of WML v3 and custom engines."""
        self.client, self.model, self.deployment_id = client, model, deployment_id
        self.provider_id = client.add_provider(model.url)
        self.plain = path is not None
        self.scoring_url = model.url + (path or f"/ml/v4/deployments/{deployment_id}/predictions")
        self.subscription_id = client.add_subscription(self.provider_id, self.scoring_url, deployment_id=deployment_id,
                                                       **more)
        self.data_set_id = client.data_set_of(self.subscription_id)
        self.monitor_id = client.enable_explanations(self.subscription_id, parameters) if enabled else None

    @property
    def records_path(self) -> str:
        return f"/v2/data_sets/{self.data_set_id}/records"

    def score(self, *images) -> tuple[dict, dict]:
        """Request and response of a scoring call, as an application would make it."""
        request = {"values": list(images)} if self.plain else {"input_data": [{"values": list(images)}]}
        response = self.client.session.post(self.scoring_url, json=request, timeout=60)
        response.raise_for_status()
        return request, response.json()

    def transaction(self, *images, scoring_id=None, **more) -> dict:
        request, response = self.score(*images)
        return {"request": request, "response": response, "scoring_id": scoring_id or uuid.uuid4().hex, **more}

    def log(self, *images, expect=202, **more) -> list[str]:
        """Scores and logs; the scoring ids."""
        body = [self.transaction(*images, **more)]
        return self.client.post(self.records_path, body, expect)["scoring_ids"]

    def count(self, **params) -> int:
        return self.client.get(self.records_path, limit=0, include_total_count="true", **params)["total_count"]

    def values(self, **params) -> list[dict]:
        """The rows of a page of records."""
        return [r["entity"]["values"] for r in self.client.get(self.records_path, **params)["records"]]

    def explain(self, *scoring_ids, expect=202, **more) -> list[str]:
        body = {"scoring_ids": list(scoring_ids), "subscription_id": self.subscription_id, **more}
        return self.client.post("/v2/explanation_tasks", body, expect)["metadata"]["explanation_task_ids"]

    def explained(self, *images, **parameters) -> tuple[str, dict]:
        """Logs one image, explains it with these `image` parameters and waits; task id and finished task."""
        body = {"parameters": {"image": parameters}} if parameters else {}
        [task_id] = self.explain(*self.log(*images), **body)
        task = wait_for(self.client, task_id)
        assert task["entity"]["status"]["state"] == "finished", task
        return task_id, task


def explained_prediction(client: Client, subscription_id: str, prediction) -> dict:
    """Waits until this answer of the gateway is logged, and explains it; the entity of its attributions."""
    records = f"/v2/data_sets/{client.data_set_of(subscription_id)}/records"
    wait_until(lambda: client.get(records, limit=1)["records"])
    scoring_id = f"{prediction.headers['X-Global-Transaction-Id']}-1"
    [task_id] = client.post("/v2/explanation_tasks", {"scoring_ids": [scoring_id]})["metadata"]["explanation_task_ids"]
    task = wait_for(client, task_id)
    assert task["entity"]["status"]["state"] == "finished", task
    return client.get(f"/v2/explanation_tasks/{task_id}/attributions")["entity"]


def wait_for(client: Client, task_id: str, until=lambda state: state != "in_progress") -> dict:
    deadline = time.monotonic() + FINISH_SECONDS
    while True:
        task = client.get(f"/v2/explanation_tasks/{task_id}")
        if until(task["entity"]["status"]["state"]):
            return task
        assert time.monotonic() < deadline, task
        time.sleep(POLL_SECONDS)
