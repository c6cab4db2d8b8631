-- Takes over what the venue says of one bucket.
--
-- KEYS[1]  the bucket
-- ARGV[1]  tokens that are left
-- ARGV[2]  how long that holds, in microseconds; empty if the venue does not say
-- ARGV[3+] the limits, as in take.lua
local SAME = 1000000
local left, lasts = tonumber(ARGV[1]), tonumber(ARGV[2])
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local held = redis.call('GET', KEYS[1])
local bucket = held and cmsgpack.unpack(held) or { limits = {} }
local idle = math.max(now, bucket.last or 0)

-- A bare refusal holds for the shortest span. Where tokens come back evenly, some do at once, and the bucket is empty now.
local shortest
for i = 3, #ARGV, 3 do
  local limit = bucket.limits[i] or {}
  bucket.limits[i] = limit
  if ARGV[i] == 'refill' then
    shortest = 0
    if left == 0 and not lasts then
      local full = math.ceil(tonumber(ARGV[i + 2]) * 1000000000 / tonumber(ARGV[i + 1]))
      limit.full_at = math.max(limit.full_at or 0, now + full)
    end
    idle = math.max(idle, limit.full_at or 0)
  else
    local span = tonumber(ARGV[i + 2])
    shortest = math.min(shortest or span, span)
    idle = math.max(idle, now + span)
  end
end

local till = now + (lasts or shortest or 0)
local told = bucket.told
if told and told.till > now and math.abs(told.till - till) <= SAME then
  left = math.min(left, told.left)
end
bucket.told = { left = left, till = till }
idle = math.max(idle, till)
redis.call('SET', KEYS[1], cmsgpack.pack(bucket), 'PX', math.ceil((idle - now) / 1000) + 1000)
