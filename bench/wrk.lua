-- What wrk.ts asks of wrk, by environment variables: a credential does not belong on a command line.
local function variable(name) return os.getenv("LICTOR_BENCH_" .. name) or "" end

local requests, at = {}, 0

function init()
  local headers = {}
  for name, value in variable("HEADERS"):gmatch("([^:\n]+): ([^\n]*)") do headers[name] = value end
  local body = variable("BODY")
  for index = 1, tonumber(variable("OBJECTS")) do
    local path = variable("PATH"):gsub("{id}", string.format("00000000-0000-4000-8000-%012x", index))
    requests[index] = wrk.format(variable("METHOD"), path, headers, body ~= "" and body or nil)
  end
end

function request()
  at = at % #requests + 1
  return requests[at]
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format('\n{"requests":%d,"durationUs":%d,"refused":%d,"failed":%d,"p50Us":%d,"p99Us":%d}\n',
    summary.requests, summary.duration, errors.status, errors.connect + errors.read + errors.write + errors.timeout,
    latency:percentile(50), latency:percentile(99)))
end
