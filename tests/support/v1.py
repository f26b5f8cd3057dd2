# SPDX-License-Identifier: Apache-2.0
"""A client of the API of 2018 to 2020."""
import uuid


class V1:
    """The paths of one data mart."""

    def __init__(self, api):
        self.api, self.dm = api, f"/v1/data_marts/{api.instance}"

    def call(self, method, path, body=None, expect=None, headers=None, **params):
        path = path if path.startswith("/v1/model") else self.dm + path
        arguments = {} if body is None else {"json": body}
        answer = self.api.request(method, path, expect, params=params, headers=headers, **arguments)
        return answer.json() if answer.content else None

    def bind(self, url, binding_id=None):
        body = {"name": "engine", "service_type": "custom_machine_learning", "instance_id": binding_id or str(uuid.uuid4()),
                "credentials": {"url": url, "username": "u", "password": "p"}}
        return self.call("POST", "/service_bindings", body, 201)["metadata"]["guid"]

    def subscription_body(self, url, asset_id="asset-1"):
        return {"asset": {"asset_id": asset_id, "asset_type": "model", "name": "a model", "url": "http://models.example/1",
                          "created_at": "2019-01-01T00:00:00.000Z"},
                "asset_properties": {"input_data_type": "unstructured_image", "problem_type": "binary",
                                     "prediction_field": "prediction_classes", "probability_fields": ["probability"]},
                "deployments": [{"deployment_id": "d1", "name": "a deployment", "deployment_type": "online", "url": "",
                                 "deployment_rn": "", "created_at": "2019-01-01T00:00:00.000Z",
                                 "scoring_endpoint": {"url": url}}]}

    def subscribe(self, binding_id, url, **more):
        subscription_id = str(uuid.uuid4())
        self.call("PUT", f"/service_bindings/{binding_id}/subscriptions/{subscription_id}",
                  self.subscription_body(url, **more), 201)
        return subscription_id

    def store(self, subscription_id, request, response, headers=None, expect=202, **more):
        body = [{"binding_id": "any", "subscription_id": subscription_id, "deployment_id": "d1", "request": request,
                 "response": response, "scoring_id": uuid.uuid4().hex, "response_time": 12, **more}]
        return self.call("POST", "/scoring_payloads", body, expect, headers=headers)
