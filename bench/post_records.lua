-- SPDX-License-Identifier: Apache-2.0
-- For wrk: every request logs one transaction of its own. $BENCH_BODY holds the body with @ID@ where its id goes: first
-- into the request, so that no two are the same, then as the scoring id.
local template, thread_number = nil, 0

function setup(thread)
  thread:set("number", thread_number)
  thread_number = thread_number + 1
end

function init(_)
  local file = io.open(os.getenv("BENCH_BODY"), "rb")
  template = file:read("*a")
  file:close()
  local first = template:find("@ID@", 1, true)
  local second = template:find("@ID@", first + 4, true)
  head, middle, tail = template:sub(1, first - 1), template:sub(first + 4, second - 1), template:sub(second + 4)
  counter = 0
  wrk.method = "POST"
  wrk.headers["Content-Type"] = "application/json"
end

function request()
  counter = counter + 1
  local id = os.getenv("BENCH_PREFIX") .. number .. "x" .. counter
  return wrk.format(nil, nil, nil, head .. id .. middle .. id .. tail)
end
