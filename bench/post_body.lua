-- SPDX-License-Identifier: Apache-2.0
-- For wrk: every request sends the same body, the file $BENCH_BODY.
function init(_)
  local file = io.open(os.getenv("BENCH_BODY"), "rb")
  wrk.method, wrk.body = "POST", file:read("*a")
  wrk.headers["Content-Type"] = "application/json"
  file:close()
end
