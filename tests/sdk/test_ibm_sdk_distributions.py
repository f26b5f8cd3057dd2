# SPDX-License-Identifier: Apache-2.0
"""How records are distributed, asked with IBM's SDK."""
import pytest
from support.images import blocks
from support.sdk import client, flow, impatient, service_url  # noqa: F401  (fixtures)

from ibm_cloud_sdk_core import ApiException  # noqa: E402
from ibm_watson_openscale.base_classes.watson_open_scale_v2 import Distributions  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore")


def test_records_are_counted_by_label_and_probability(flow):
    flow.store(blocks())
    distributions = Distributions(flow.client)
    made = distributions.add(flow.data_set_id, "2020-01-01T00:00:00Z", "2099-01-01T00:00:00Z", "payload_logging",
                             ["prediction", "prediction_probability"], limit=100, max_bins=4, agg=["count"]).result
    table = made.entity.distribution
    assert table.fields == ["prediction", "prediction_probability", "count"]
    assert sum(row[2] for row in table.values) == made.entity.processed_records > 0
    distribution_id = made.to_dict()["metadata"]["id"]
    assert distributions.get(flow.data_set_id, distribution_id).result.to_dict() == made.to_dict()
    with pytest.raises(ApiException, match="is a list"):
        distributions.add(flow.data_set_id, "2020-01-01", "2099-01-01", "payload_logging", ["probability"])
    distributions.delete(flow.data_set_id)
    with pytest.raises(ApiException):
        distributions.get(flow.data_set_id, distribution_id)
