-- Reserves a slot for one request in a virtual clock that all processes share
-- (the generic cell rate algorithm).
--
-- KEYS  1 the lane, a hash   2 the pause of the requested operation
-- ARGV  1 the budget in requests a second, 0 to learn it   2 its burst
--       3 the rate to begin with
-- Returns {1, pause in microseconds} or {0, wait in microseconds, rate}.
local pause = redis.call('PTTL', KEYS[2])
if pause > 0 then return {1, pause * 1000, '0'} end

local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local lane = redis.call('HMGET', KEYS[1], 'clock', 'rate', 'burst', 'growth', 'grown')
local rate, burst = tonumber(ARGV[1]), tonumber(ARGV[2])
if rate == 0 then
  rate = tonumber(lane[2]) or tonumber(ARGV[3])
  burst = tonumber(lane[3]) or 10
  -- While the server has announced no limit, the rate grows: twice as much each
  -- second at first, slowly after a refusal, not at all with headers.
  local growth, grown = tonumber(lane[4]) or 2, tonumber(lane[5]) or now
  if growth > 1 then
    rate = math.min(rate * growth ^ (math.min(now - grown, 1000000) / 1000000), 100000)
    redis.call('HSET', KEYS[1], 'rate', rate, 'grown', string.format('%.0f', now))
  end
end

local interval = 1000000 / rate
local clock = math.max(tonumber(lane[1]) or 0, now) + interval
redis.call('HSET', KEYS[1], 'clock', string.format('%.0f', clock))
redis.call('PEXPIRE', KEYS[1], 3600000)
return {0, math.max(0, math.ceil(clock - burst * interval - now)), tostring(rate)}
