-- Reserves a slot for one request in a virtual clock that all processes share
-- (the generic cell rate algorithm).
--
-- KEYS  1 the lane, a hash   2 the pause of the requested operation
-- ARGV  1 the budget in requests a second, 0 to learn it   2 its burst
--       3 the rate that the process knows, 0 if none
--       4 the rate of the process while Redis was away, 0 if it was not
-- Returns {1, pause in microseconds} or {0, wait in microseconds, rate}.
local pause = redis.call('PTTL', KEYS[2])
if pause > 0 then return {1, pause * 1000, '0'} end

local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local lane = redis.call('HMGET', KEYS[1], 'clock', 'rate', 'burst', 'growth', 'grown')
local rate, burst, clock = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(lane[1]) or 0
if rate == 0 then
  local known, joining = tonumber(ARGV[3]), tonumber(ARGV[4])
  -- While the server has announced no limit, the rate grows: twice as much each
  -- second at first, slowly after a refusal, not at all with headers. It grows
  -- only while requests wait for it.
  local growth, grown = tonumber(lane[4]) or (known > 0 and 1.03 or 2), tonumber(lane[5]) or now
  rate = tonumber(lane[2]) or (known > 0 and known or 50)
  burst = tonumber(lane[3]) or 10
  if growth > 1 and clock > now then
    rate = math.min(rate * growth ^ (math.min(now - grown, 1000000) / 1000000), 100000)
  end
  -- The processes come back to Redis one by one, each with its share, to at most
  -- the rate that they had; the first without a burst. What is measured before
  -- all are back is wrong.
  if joining > 0 then
    local ahead, others = burst - 1, 0
    if clock > now - 1000000 then ahead, others = math.max(clock - now, 0) * rate / 1000000, rate end
    rate = math.max(joining, others, math.min(others + joining, known))
    clock = now + ahead * 1000000 / rate
    redis.call('HDEL', KEYS[1], 'since')
    redis.call('HSET', KEYS[1], 'refill', rate)
  end
  redis.call('HSET', KEYS[1], 'rate', rate, 'growth', growth, 'grown', string.format('%.0f', now))
end

local interval = 1000000 / rate
clock = math.max(clock, now) + interval
redis.call('HSET', KEYS[1], 'clock', string.format('%.0f', clock))
redis.call('PEXPIRE', KEYS[1], 3600000)
return {0, math.max(0, math.ceil(clock - burst * interval - now)), tostring(rate)}
