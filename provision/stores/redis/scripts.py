"""The Lua that Redis runs for the ledger and the operations; each script is one atomic step on the server.

Redis undoes nothing: a command that fails inside MULTI/EXEC leaves the others applied. So every script looks first
whether a newer run has written to the ledger, acts, and appends the event last, only when everything before it worked.
"""

from __future__ import annotations

# KEYS[1] ledger, ARGV[1] token, ARGV[2] n; leaves the newest id as `last`, `ms` and `seq`.
_LAST = """
local function last_id(ledger)
  if redis.call('EXISTS', ledger) == 0 then return '0-0' end
  local about = redis.call('XINFO', 'STREAM', ledger)
  for i = 1, #about, 2 do
    if about[i] == 'last-generated-id' then return about[i + 1] end
  end
end
local last = last_id(KEYS[1])
local ms, seq = string.match(last, '^(%d+)-(%d+)$')
local token, n = tonumber(ARGV[1]), tonumber(ARGV[2])
ms, seq = tonumber(ms), tonumber(seq)
"""

# Answers {-1, last id} when the ledger holds that id or a later one.
_FENCE = _LAST + "if ms > token or (ms == token and seq >= n) then return {-1, last} end\n"

# KEYS[2] hash and ARGV[3] field that count the commands done when a later one was refused; an empty field keeps none.
# ARGV from 4: number of event fields, fields, then each command as its length and its words.
# Answers {0, replies}, or {i, error} when command i was refused (those before it stay, the event is not written).
APPLY = (
    _FENCE
    + """
local at = 5 + tonumber(ARGV[4])
local replies, number = {}, 0
while at <= #ARGV do
  local size = tonumber(ARGV[at])
  number = number + 1
  local reply = redis.pcall(unpack(ARGV, at + 1, at + size))
  if type(reply) == 'table' and reply.err then
    if ARGV[3] ~= '' and number > 1 then redis.call('HINCRBY', KEYS[2], ARGV[3], number - 1) end
    return {number, reply.err}
  end
  replies[number] = reply
  at = at + size + 1
end
if ARGV[3] ~= '' then redis.call('HDEL', KEYS[2], ARGV[3]) end
if ARGV[4] ~= '0' then
  redis.call('XADD', KEYS[1], ARGV[1] .. '-' .. ARGV[2], unpack(ARGV, 5, 4 + tonumber(ARGV[4])))
end
return {0, replies}
"""
)

# ARGV[3] seconds, then keys. Sets an expiry only where there is none; answers {0, how many}.
EXPIRE_MISSING = (
    _FENCE
    + """
local set = 0
for i = 4, #ARGV do
  if redis.call('PTTL', ARGV[i]) == -1 then set = set + redis.call('EXPIRE', ARGV[i], ARGV[3]) end
end
return {0, set}
"""
)

# KEYS[1] a stream. Makes it empty, without an entry that would move its last id; a no-op when it is there.
CREATE_EMPTY_STREAM = """
if redis.call('EXISTS', KEYS[1]) == 0 then
  redis.call('XGROUP', 'CREATE', KEYS[1], 'provision', '0', 'MKSTREAM')
  redis.call('XGROUP', 'DESTROY', KEYS[1], 'provision')
end
"""

# From now on the server itself refuses an XADD of a lower token.
RAISE_FENCE = (
    CREATE_EMPTY_STREAM
    + _LAST
    + """
if ms > token then return {-1, last} end
if ms < token then redis.call('XSETID', KEYS[1], ARGV[1] .. '-0') end
return {0}
"""
)

# KEYS[1] lease, KEYS[2] the highest token of that name; times in milliseconds by the server's clock.
_CLOCK = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
"""

_HOLDING = """
local h = redis.call('HMGET', KEYS[1], 'holder', 'token', 'taken_at', 'expires', 'asked_back_by')
if not h[1] then return nil end
return {h[1], h[2], h[3], h[4] and string.format('%d', h[4] - now), h[5] or ''}
"""

READ_LEASE = _CLOCK + _HOLDING

# ARGV: owner as JSON, milliseconds, floor, the unknown holder as JSON. The latter gets a lease whose hash was deleted.
TAKE_LEASE = (
    _CLOCK
    + """
local expires = redis.call('HGET', KEYS[1], 'expires')
if not expires or tonumber(expires) <= now then
  local highest = redis.call('HGET', KEYS[1], 'highest')
  local given = tonumber(redis.call('GET', KEYS[2]) or '0')
  local holder, token = ARGV[1], math.max(tonumber(highest or '0'), given, tonumber(ARGV[3])) + 1
  if not highest and given > 0 then holder, token = ARGV[4], given end
  token = string.format('%d', token)
  redis.call('SET', KEYS[2], token)
  redis.call('HDEL', KEYS[1], 'asked_back_by')
  redis.call('HSET', KEYS[1], 'holder', holder, 'token', token, 'highest', token,
    'taken_at', time[1] .. '.' .. string.format('%06d', time[2]), 'expires', string.format('%d', now + ARGV[2]))
end
"""
    + _HOLDING
)

# ARGV: what is told of the owner as JSON, token. Answers 0 when that owner does not hold the lease with that token;
# what else its record holds is of another release.
_HELD = """
local of = redis.call('HMGET', KEYS[1], 'holder', 'token')
if not of[1] or of[2] ~= ARGV[2] then return 0 end
local kept = cjson.decode(of[1])
for name, value in pairs(cjson.decode(ARGV[1])) do
  if kept[name] ~= value then return 0 end
end
"""

# ARGV[3] milliseconds. An expired lease that nobody took is still its holder's; 2: it is asked back, and not extended.
EXTEND_LEASE = (
    _CLOCK
    + _HELD
    + """
if redis.call('HEXISTS', KEYS[1], 'asked_back_by') == 1 then return 2 end
redis.call('HSET', KEYS[1], 'expires', string.format('%d', now + ARGV[3]))
return 1
"""
)

# ARGV[3] who asks.
ASK_BACK_LEASE = _HELD + "redis.call('HSET', KEYS[1], 'asked_back_by', ARGV[3]) return 1"

# The highest token stays.
RELEASE_LEASE = (
    _HELD
    + """
redis.call('HDEL', KEYS[1], 'holder', 'token', 'taken_at', 'expires', 'asked_back_by')
return 1
"""
)
