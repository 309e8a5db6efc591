-- Writes one step of one partition: all of it, or nothing. Commands of Redis 6.2.
-- KEYS  1 meta, 2 items, 3 state, 4 rows, 5 outbox, 6 and 7 the beginnings of the keys of rankings (shows, songs), which a
--       listener's name ends (all with the partition's hash tag: one slot)
-- ARGV  1 epoch, 2 first, 3 next, 4 received_ms, 5 watermark_ms, 6 version, 7 items known before,
--       8 how many values are new items, states (name, value)..., state names to remove, rows (name, value)..., row names to
--         remove, outbox payloads, names of shows, listeners with shows, names of songs, listeners with songs; 9 how long each
--         value is; 10 the values one behind the other. Three arguments for thousands of values: neither the client nor Redis
--         then handles each by itself.
--       11 and 12 the rankings of shows and of songs, one behind the other: for each place its name's and a score; behind the
--         last one of a listener the name is -1
--       Lengths and places are of four bytes, the lowest first; scores are doubles.
-- Answers OK, SAME (this very step is written already: a reply was lost), or who is in the way.
local meta = redis.call('HMGET', KEYS[1], 'epoch', 'offset', 'step')
local step = ARGV[1] .. ':' .. ARGV[2] .. ':' .. ARGV[3]
if meta[1] ~= ARGV[1] then return 'EPOCH ' .. tostring(meta[1]) end
if meta[3] == step then return 'SAME' end
if meta[2] and meta[2] ~= ARGV[2] then return 'OFFSET ' .. meta[2] end
local known = redis.call('LLEN', KEYS[2])
if known ~= tonumber(ARGV[7]) then return 'ITEMS ' .. known end

local at, from = 1, 1
local function values(list)
  local found = {}
  for i = 1, struct.unpack('<I4', ARGV[8], 4 * list - 3) do
    local length = struct.unpack('<I4', ARGV[9], at)
    found[i] = string.sub(ARGV[10], from, from + length - 1)
    at, from = at + 4, from + length
  end
  return found
end
local items, states, gone, rows, unset, outbox = values(1), values(2), values(3), values(4), values(5), values(6)
local ranked = { { values(7), values(8) }, { values(9), values(10) } }
local MOST = 1000 -- values that go through Lua's stack in one call
local function each(command, key, list)
  for i = 1, #list, MOST do
    redis.call(command, key, unpack(list, i, math.min(i + MOST - 1, #list)))
  end
end
each('RPUSH', KEYS[2], items)
each('HSET', KEYS[3], states)
each('HDEL', KEYS[3], gone)
each('HSET', KEYS[4], rows)
each('HDEL', KEYS[4], unset)
for _, name in ipairs(unset) do redis.call('DEL', KEYS[6] .. name, KEYS[7] .. name) end
for i = 1, #rows, 2 do redis.call('DEL', KEYS[6] .. rows[i], KEYS[7] .. rows[i]) end -- a ranking goes with its row
for kind = 1, 2 do
  local names, listeners, rankings = ranked[kind][1], ranked[kind][2], ARGV[10 + kind]
  local each_ranking = #listeners > 0 and #rankings / #listeners or 0
  for i, listener in ipairs(listeners) do
    local ranking, n = {}, 0
    for at = (i - 1) * each_ranking + 1, i * each_ranking, 12 do
      local place, score = struct.unpack('<i4d', rankings, at)
      if place < 0 then break end
      ranking[n + 1], ranking[n + 2], n = score, names[place + 1], n + 2 -- Redis writes a number with all its digits
    end
    if n > 0 then redis.call('ZADD', KEYS[5 + kind] .. listener, unpack(ranking)) end
  end
end
for i, payload in ipairs(outbox) do redis.call('XADD', KEYS[5], ARGV[3] .. '-' .. i, 'p', payload) end
redis.call('HSET', KEYS[1], 'step', step, 'offset', ARGV[3], 'received_ms', ARGV[4], 'watermark_ms', ARGV[5], 'version', ARGV[6])
return 'OK'
