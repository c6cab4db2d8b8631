-- Reserves tokens of one bucket for the moment at which all its limits have room, in the order in which callers came.
--
-- KEYS[1]  the bucket
-- ARGV[1]  tokens
-- ARGV[2]  the longest wait, in microseconds
-- ARGV[3+] the limits, three arguments each: 'refill', tokens a second in thousandths, capacity; or 'window', count, microseconds
--
-- Returns 1 and the wait in microseconds, or 0 and the wait that would have been too long; nothing is reserved then.
local BATCHES = 64
local tokens, longest = tonumber(ARGV[1]), tonumber(ARGV[2])
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local held = redis.call('GET', KEYS[1])
local bucket = held and cmsgpack.unpack(held) or { limits = {} }

-- How long so many tokens take to come back, rounded up: never early.
local function time_of(count, per_second_millis)
  return math.ceil(count * 1000000000 / per_second_millis)
end

-- When: never before a caller who came earlier.
local at = math.max(now, bucket.last or 0)
local told = bucket.told
if told and told.till <= now then
  told = nil
end
if told and told.left < tokens then
  at = math.max(at, told.till)
end
for i = 3, #ARGV, 3 do
  local limit = bucket.limits[i] or {}
  bucket.limits[i] = limit
  if ARGV[i] == 'refill' then
    local rate, capacity = tonumber(ARGV[i + 1]), tonumber(ARGV[i + 2])
    local room = capacity - math.min(tokens, capacity)
    at = math.max(at, (limit.full_at or 0) - math.floor(room * 1000000000 / rate))
  else
    local count, span = tonumber(ARGV[i + 1]), tonumber(ARGV[i + 2])
    local sum = 0
    for _, batch in ipairs(limit) do
      sum = sum + batch.tokens
    end
    -- Whatever has left the span before that moment makes room.
    while #limit > 0 and (limit[1].last + span <= at or sum + math.min(tokens, count) > count) do
      at = math.max(at, limit[1].last + span)
      sum = sum - limit[1].tokens
      table.remove(limit, 1)
    end
  end
end

if at - now > longest then
  return { 0, at - now }
end

local idle = at
for i = 3, #ARGV, 3 do
  local limit = bucket.limits[i]
  if ARGV[i] == 'refill' then
    limit.full_at = math.max(limit.full_at or 0, at) + time_of(tokens, tonumber(ARGV[i + 1]))
    idle = math.max(idle, limit.full_at)
  else
    local span = tonumber(ARGV[i + 2])
    local batch = limit[#limit]
    if batch and at - batch.first < span / BATCHES then
      batch.last = at
      batch.tokens = batch.tokens + tokens
    else
      table.insert(limit, { first = at, last = at, tokens = tokens })
    end
    idle = math.max(idle, at + span)
  end
end
bucket.last = at
if told then
  if told.left >= tokens then
    told.left = told.left - tokens
  end
  idle = math.max(idle, told.till)
end
bucket.told = told
redis.call('SET', KEYS[1], cmsgpack.pack(bucket), 'PX', math.ceil((idle - now) / 1000) + 1000)
return { 1, at - now }
