# SPDX-License-Identifier: Apache-2.0
"""
Who may do what: every operation of openapi.yaml by every role, on ids of the caller's own data mart, of another one,
and on ids that do not exist. Another one's must look like those that do not exist.
"""
import re
import uuid

import pytest
from support.client import Client, Watched, wait_for
from support.contract import Contract
from support.images import blocks
from support.receiver import new_secret

ROLES = ("anyone", "viewer", "editor", "admin", "operator")
BY_METHOD = ("GET", "POST", "PATCH", "PUT", "DELETE")
# What goes last: each of these takes the ones before it along.
DELETIONS = ("webhooks_delete", "distributions_delete", "explanation_tasks_delete", "monitor_instances_delete",
             "data_sets_delete", "subscriptions_delete", "service_providers_delete", "data_marts_delete", "v1_subscriptions_delete", "v1_bindings_delete",
             "v1_data_mart_delete", "api_keys_delete", "users_delete")
OPERATIONS = sorted(Contract.load().operations,
                    key=lambda o: (BY_METHOD.index(o.method), DELETIONS.index(o.id) if o.method == "DELETE" else 0))
# The same for everybody: built-in names, and columns.
CONSTANT = {"monitor_definition_id": "explainability", "configuration": "payload_logging", "field_name": "scoring_id", "run_id": "1"}
# Operations whose id stands in the query.
QUERY_IDS = {"ml_deployments_list": "service_provider_id", "ml_deployments_get": "service_provider_id"}
BODIES = {"PATCH": [], "POST": {}}


class Tenant:
    """A data mart with one of everything, and a client for every role."""

    def __init__(self, users, model, instance):
        self.instance = instance
        self.clients = {role: users.client(role, instance) for role in ("viewer", "editor", "admin")}
        self.clients |= {"anyone": Client(users.daemon.url, instance), "operator": users.operator}
        watched = Watched(self.clients["editor"], model)
        transaction_id = uuid.uuid4().hex
        record = watched.transaction(blocks(), scoring_id=transaction_id)
        logged = self.clients["editor"].request("POST", watched.records_path, json=[record])
        [task_id] = watched.explain(f"{transaction_id}-1")
        wait_for(self.clients["viewer"], task_id)
        name, _ = users.add("viewer", instance)
        key = users.operator.post(f"/v2/users/{name}/api_keys", {})
        purge = watched.client.post(f"/v2/data_sets/{watched.data_set_id}/purges", {"end": "2000-01-01T00:00:00Z"})
        distribution = watched.client.post(f"/v2/data_sets/{watched.data_set_id}/distributions", {
            "start": "2020-01-01T00:00:00Z", "end": "2099-01-01T00:00:00Z", "dataset": "payload_logging",
            "group": ["prediction"]})
        self.record = watched.transaction(blocks())
        self.ids = {
            "data_mart_id": instance, "service_provider_id": watched.provider_id, "binding_id": watched.provider_id,
            "subscription_id": watched.subscription_id, "data_set_id": watched.data_set_id,
            "record_id": self.clients["viewer"].get(watched.records_path)["records"][0]["metadata"]["id"],
            "request_id": logged.headers["Location"].rsplit("/", 1)[1], "monitor_instance_id": watched.monitor_id,
            "task_id": task_id, "transaction_id": transaction_id, "deployment_id": "d1", "user_name": name,
            "api_key_id": key["metadata"]["id"], "purge_id": purge["metadata"]["id"],
            "data_distribution_id": distribution["metadata"]["id"],
            "webhook_id": self.webhook(watched.subscription_id),
        }

    def webhook(self, subscription_id) -> str:
        """Of a receiver that is not there."""
        body = {"target": {"target_type": "subscription", "target_id": subscription_id},
                "url": "http://127.0.0.1:9/", "secret": new_secret()}
        return self.clients["editor"].post("/v2/webhooks", body)["metadata"]["id"]

    def content(self) -> list:
        """All that it has, as its administrator sees it."""
        lists = ("data_marts", "service_providers", "subscriptions", "data_sets", "monitor_instances",
                 "explanation_tasks", "webhooks", f"data_sets/{self.ids['data_set_id']}/records")
        return [self.clients["admin"].get(f"/v2/{name}") for name in lists]


@pytest.fixture(scope="module")
def own(users, stub_model):
    return Tenant(users, stub_model, str(uuid.uuid4()))


@pytest.fixture(scope="module")
def own_v1(users, stub_model):
    """For the deletions of v1: those of v2 took along what they are of."""
    return Tenant(users, stub_model, str(uuid.uuid4()))


@pytest.fixture(scope="module")
def foreign(users, stub_model):
    return Tenant(users, stub_model, str(uuid.uuid4()))


@pytest.fixture(scope="module")
def unknown(own):
    return {name: str(uuid.uuid4()) for name in own.ids} | {"deployment_id": "d1"}


def parameters_of(operation) -> list[str]:
    """The members of the path that name something of a data mart."""
    names = [name for name in re.findall(r"{(\w+)}", operation.path) if name not in CONSTANT]
    return names + [name for name in [QUERY_IDS.get(operation.id)] if name]


def call(client, operation, ids, body=None, instance=None):
    path = operation.path.format(**{**CONSTANT, **ids})
    base = f"{client.url}/openscale/{instance}" if instance else client.url
    params = {name: ids[name] for name in [QUERY_IDS.get(operation.id)] if name}
    body = BODIES.get(operation.method) if body is None else body
    return client.session.request(operation.method, base + path, params=params, json=body, timeout=60)


def neutral(answer, *names) -> tuple:
    """An answer without what has to differ: the names that were asked for, and the request id."""
    text = answer.text
    for name in sorted(names, key=len, reverse=True):  # a short one may stand within a long one
        text = text.replace(name, "ID")
    return answer.status_code, re.sub(r'"trace":"[^"]*"', "", text)


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.id)
def test_authorization(own, own_v1, foreign, unknown, operation):
    own = own_v1 if operation.method == "DELETE" and operation.id.startswith("v1_") else own
    needed = operation.spec["x-role"]
    roles = ROLES if needed == "operator" else ROLES[:-1]
    for role in roles:
        client = own.clients[role]
        if needed in ("anyone", "local_or_viewer"):  # the tests are local
            assert call(client, operation, own.ids).status_code not in (403, 404), role
        elif ROLES.index(role) < ROLES.index(needed):
            expected = 401 if role == "anyone" else 403
            for ids in (own.ids, foreign.ids, unknown):
                answer = call(client, operation, ids)
                assert answer.status_code == expected, (role, answer.text)
                assert ("WWW-Authenticate" in answer.headers) == (expected == 401)
        else:
            body = [own.record] if operation.id == "records_add" else None
            others_do_not_exist(client, operation, own, foreign, unknown, body)
            if operation.method != "DELETE" or role == needed:  # once is enough
                own_ones_are_there(client, operation, own, body)


def others_do_not_exist(client, operation, own, foreign, unknown, body):
    """Neither by their ids nor by the instance in the path."""
    if parameters_of(operation):
        # Users are the operator's own in all data marts; of everything else there is a foreign one.
        others = [unknown] if operation.spec["x-role"] == "operator" else [foreign.ids, unknown]
        answers = {neutral(call(client, operation, ids, body), *ids.values()) for ids in others}
        assert {status for status, _ in answers} == {404}, answers
        assert len(answers) == 1, f"a foreign id is told from an unknown one: {answers}"
    answers = {neutral(call(client, operation, own.ids, body, at), at) for at in (foreign.instance, str(uuid.uuid4()))}
    assert {status for status, _ in answers} == {404} and len(answers) == 1, answers


def own_ones_are_there(client, operation, own, body):
    answer = call(client, operation, own.ids, body)
    if operation.path.startswith(("/v2/ml_deployments", "/v1/ml_instances")):
        assert answer.status_code not in (401, 403), answer.text  # what the model's engine has to say
    elif operation.id == "monitor_runs_get":
        assert answer.status_code == 404 and "monitor_run" in answer.text  # the instance is found, but has no runs
    else:
        assert answer.status_code not in (401, 403, 404, 429) and answer.status_code < 500, answer.text


@pytest.fixture(scope="module", autouse=True)
def nothing_happens_to_the_other_data_mart(own, foreign):
    before = foreign.content()
    yield
    assert foreign.content() == before


def test_ids_of_another_data_mart_in_bodies_and_queries_are_unknown(users, stub_model):
    ours, theirs = (Tenant(users, stub_model, str(uuid.uuid4())) for _ in range(2))
    editor, nobody = ours.clients["editor"], str(uuid.uuid4())

    def alike(make):
        """The same refusal for an id of theirs and for one of nobody's."""
        answers = []
        for pick in (theirs.ids, dict.fromkeys(theirs.ids, nobody)):
            method, path, arguments = make(pick)
            answers.append(neutral(editor.session.request(method, editor.base + path, timeout=30, **arguments),
                                   *pick.values()))
        assert answers[0] == answers[1], answers
        return answers[0]

    def subscription(pick):
        body = editor.subscription_body(pick["service_provider_id"], "http://127.0.0.1:9/x")
        return "POST", "/v2/subscriptions", {"json": body}

    def monitor(pick):
        target = {"target_type": "subscription", "target_id": pick["subscription_id"]}
        return "POST", "/v2/monitor_instances", {"json": {"data_mart_id": ours.instance, "target": target,
                                                          "monitor_definition_id": "explainability", "parameters": {}}}

    def data_set(pick):
        target = {"target_type": "subscription", "target_id": pick["subscription_id"]}
        return "POST", "/v2/data_sets", {"json": {"data_mart_id": ours.instance, "name": "x", "type": "feedback",
                                                  "target": target, "data_schema": {"type": "struct", "fields": []}}}

    def task(pick):
        return "POST", "/v2/explanation_tasks", {"json": {"scoring_ids": [f"{pick['transaction_id']}-1"]}}

    for make in (subscription, monitor, data_set, task):
        status, _ = alike(make)
        assert status in (400, 404), make.__name__
    for path, name in (("subscriptions", "service_provider_id"), ("data_sets", "target.target_id"),
                       ("monitor_instances", "target.target_id"), ("data_set_records", "transaction_id"),
                       ("data_set_records", "record_id"), ("explanation_tasks", "subscription_id")):
        member = "subscription_id" if name == "target.target_id" else name
        status, text = alike(lambda pick: ("GET", f"/v2/{path}", {"params": {  # noqa: B023
            name: pick[member], "data_set_type": "payload_logging"}}))  # noqa: B023
        assert status in (200, 404) and (status == 404 or "[]" in text), path


def test_the_data_mart_of_a_path_without_instance_is_the_callers(users, own):
    client = own.clients["viewer"]
    for prefix in ("", "/openscale"):
        [mart] = client.request("GET", f"{users.daemon.url}{prefix}/v2/data_marts").json()["data_marts"]
        assert mart["metadata"]["id"] == own.instance
