-- SPDX-License-Identifier: Apache-2.0
-- For wrk: every request logs one transaction of its own. $BENCH_BODY holds the body with @ID@ where its id goes.
local template, thread_number = nil, 0

function setup(thread)
  thread:set("number", thread_number)
  thread_number = thread_number + 1
end

function init(_)
  local file = io.open(os.getenv("BENCH_BODY"), "rb")
  template = file:read("*a")
  file:close()
  local at = template:find("@ID@", 1, true)
  head, tail, counter = template:sub(1, at - 1), template:sub(at + 4), 0
  wrk.method = "POST"
  wrk.headers["Content-Type"] = "application/json"
end

function request()
  counter = counter + 1
  return wrk.format(nil, nil, nil, head .. os.getenv("BENCH_PREFIX") .. number .. "x" .. counter .. tail)
end
