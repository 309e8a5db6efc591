-- Writes one step of one partition: all of it, or nothing. Commands of Redis 6.2.
-- KEYS  1 meta, 2 items, 3 state, 4 rows, 5 outbox (all with the partition's hash tag: one slot)
-- ARGV  1 epoch, 2 first, 3 next, 4 received_ms, 5 watermark_ms, 6 version, 7 items known before,
--       then four counted lists: new items; state (name, value)...; rows (name, value)...; outbox payloads
-- An empty value removes the name. Answers OK, SAME (this very step is written already: a reply was lost), or who is in the way.
local meta = redis.call('HMGET', KEYS[1], 'epoch', 'offset', 'step')
local step = ARGV[1] .. ':' .. ARGV[2] .. ':' .. ARGV[3]
if meta[1] ~= ARGV[1] then return 'EPOCH ' .. tostring(meta[1]) end
if meta[3] == step then return 'SAME' end
if meta[2] and meta[2] ~= ARGV[2] then return 'OFFSET ' .. meta[2] end
local items = redis.call('LLEN', KEYS[2])
if items ~= tonumber(ARGV[7]) then return 'ITEMS ' .. items end

local at = 8
local function list()
  local count, first = tonumber(ARGV[at]), at + 1
  at = first + count
  return first, at - 1
end

local first, last = list()
for i = first, last do redis.call('RPUSH', KEYS[2], ARGV[i]) end
for key = 3, 4 do
  first, last = list()
  for i = first, last, 2 do
    if ARGV[i + 1] == '' then redis.call('HDEL', KEYS[key], ARGV[i])
    else redis.call('HSET', KEYS[key], ARGV[i], ARGV[i + 1]) end
  end
end
first, last = list()
for i = first, last do redis.call('XADD', KEYS[5], ARGV[3] .. '-' .. (i - first + 1), 'p', ARGV[i]) end
redis.call('HSET', KEYS[1], 'step', step, 'offset', ARGV[3], 'received_ms', ARGV[4], 'watermark_ms', ARGV[5], 'version', ARGV[6])
return 'OK'
