-- Learns from the responses that a process received.
--
-- KEYS  1 the lane, a hash   2 the pause of the refused operation
-- ARGV  1 the budget in requests a second, 0 to learn it
--       2 responses since the last report, without refusals
--       3 remaining requests, -1 if not announced   4 their limit
--       5 microseconds until the limit is reset
--       6 the pause in milliseconds, 0 if nothing was refused
local pause = tonumber(ARGV[6])
if pause > 0 and pause > redis.call('PTTL', KEYS[2]) then
  redis.call('SET', KEYS[2], '1', 'PX', pause)
end
if tonumber(ARGV[1]) > 0 then return 0 end

local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local remaining, limit, reset = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local served = redis.call('HINCRBY', KEYS[1], 'served', ARGV[2])
local lane = redis.call('HMGET', KEYS[1], 'since', 'before', 'refill', 'rate', 'clock')
local since = tonumber(lane[1])
local elapsed = now - (since or now)

if since and elapsed < 250000 and pause == 0 then return 0 end
if remaining >= 0 then
  if since and lane[2] and elapsed >= 100000 then
    -- What the server added since the last time, at least that if its bucket was
    -- full in between, and a correction that keeps a third of the limit in
    -- reserve. Spending what remains evenly until the reset is always allowed.
    local full, old, before = remaining >= limit - 1, tonumber(lane[4]) or 0, tonumber(lane[3])
    local refill = (remaining - lane[2] + served) * 1000000 / elapsed
    if full or elapsed > 2000000 then refill = math.max(refill, before or 0) end
    refill = math.max(0, (before or refill) * 0.6 + refill * 0.4)
    local rate = refill + remaining - limit / 3
    if reset > 0 then rate = math.max(rate, remaining * 1000000 / reset) end
    if full then rate = math.max(rate, old * (served * 1000000 / elapsed > old / 2 and 1.2 or 1)) end
    redis.call('HSET', KEYS[1], 'refill', refill, 'rate', math.max(1, math.min(rate, 100000)),
      'burst', math.max(1, math.min(10, limit / 5)), 'growth', 1)
  end
  redis.call('HSET', KEYS[1], 'before', remaining)
elseif pause > 0 and (not since or elapsed >= 100000) then
  local rate = tonumber(lane[4]) or 1
  if since then rate = math.min(rate, served * 1000000 / elapsed) end
  redis.call('HSET', KEYS[1], 'rate', math.max(1, rate * 0.9), 'growth', 1.03, 'grown', string.format('%.0f', now))
end
redis.call('HSET', KEYS[1], 'since', string.format('%.0f', now), 'served', 0)
redis.call('PEXPIRE', KEYS[1], 3600000)
return 0
