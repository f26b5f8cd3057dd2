# SPDX-License-Identifier: Apache-2.0
"""openapi.yaml: a valid document, served as it is, and in step with the route table."""
import os
import shutil
import subprocess

import pytest
import requests
import yaml
from support.contract import Contract
from support.paths import OPENAPI, ROOT, program

SPECTRAL_RULES = 'extends: ["spectral:oas"]\n'


def test_the_document_is_valid_openapi_3_1():
    validator = pytest.importorskip("openapi_spec_validator", reason="openapi-spec-validator is not installed")
    document = yaml.safe_load(OPENAPI.read_text())
    assert document["openapi"].startswith("3.1.")
    validator.validate(document)


def arrays(node):
    if isinstance(node, list):
        for element in node:
            yield from arrays(element)
    elif isinstance(node, dict):
        if node.get("type") == "array":
            yield node
        yield from arrays(list(node.values()))


def test_every_operation_is_described_and_every_list_says_of_what_it_is():
    """What spectral says most often, for those who do not have it."""
    assert not [o.id for o in Contract.load().operations if not o.spec.get("description")]
    assert not [schema for schema in arrays(yaml.safe_load(OPENAPI.read_text())) if "items" not in schema]


def test_the_document_is_clean_under_spectral(tmp_path):
    spectral = shutil.which("spectral", path=f"{ROOT / 'tests/openapi/node_modules/.bin'}:{os.environ['PATH']}")
    if not spectral:
        pytest.skip("spectral is not installed (scripts/setup --full brings it)")
    rules = tmp_path / "rules.yaml"
    rules.write_text(SPECTRAL_RULES)
    done = subprocess.run([spectral, "lint", OPENAPI, "--ruleset", rules, "--fail-severity", "hint"],
                          capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_daemon_serves_the_document_byte_for_byte(daemon):
    assert requests.get(f"{daemon.url}/openapi.yaml", timeout=10).content == OPENAPI.read_bytes()


def test_the_route_table_and_the_document_name_the_same_operations_and_roles():
    listed = subprocess.run([program("explaind"), "routes"], capture_output=True, text=True, timeout=30, check=True)
    routes = {tuple(line.split()) for line in listed.stdout.splitlines()}
    documented = {(o.method, o.path, o.id, o.spec["x-role"]) for o in Contract.load().operations}
    assert routes - documented == set(), "routes that openapi.yaml does not have"
    assert documented - routes == set(), "operations of openapi.yaml without a route"


def test_the_document_has_the_version_of_the_program(daemon):
    document = yaml.safe_load(OPENAPI.read_text())
    health = requests.get(f"{daemon.url}/health/live", timeout=10).json()
    assert health["version"] == document["info"]["version"]


def test_every_operation_refuses_an_unsupported_method_with_allow(daemon):
    methods_of = {}
    for operation in Contract.load().operations:
        methods_of.setdefault(operation.path, set()).add(operation.method)
    for path, methods in methods_of.items():
        if "{" in path:
            continue
        response = requests.put(daemon.url + path, timeout=10)
        assert response.status_code == 405, path
        allowed = {word.strip() for word in response.headers["Allow"].split(",")}
        assert allowed == methods | ({"HEAD"} if "GET" in methods else set()), path



def test_every_operation_has_the_answer_to_a_head_that_is_too_large(daemon):
    parameters = {f"p{i}": "x" for i in range(257)}
    for operation in Contract.load().operations:
        path = operation.path.replace("{", "").replace("}", "")
        response = requests.request(operation.method, daemon.url + path, params=parameters, timeout=10)
        assert response.status_code == 431 and "256" in response.json()["errors"][0]["message"], operation.id


@pytest.mark.last
def test_every_operation_was_exercised_by_some_test(complete_run, contract):
    if not complete_run:
        pytest.skip("not all black-box tests ran")
    assert contract.unexercised() == []
