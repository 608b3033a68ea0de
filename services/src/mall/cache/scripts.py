"""The cache's effects as Lua: each is one step for everybody who reads or writes, also while the cache is made anew.

While `mall:new:building` names a rebuild, every effect is done twice: on the keys in use, and on `mall:new:<rebuild>:<key>`. There each
field has a version of its own (`mall:new:<rebuild>:versions:<key>`), because the past arrives after the present.
"""

BUILDING = "mall:new:building"
HANDLED = "mall:handled"

_PUT_NEW = """
local function put_new(token, key, version, fields)
  local new, versions = 'mall:new:' .. token .. ':' .. key, 'mall:new:' .. token .. ':versions:' .. key
  for place = 1, #fields, 2 do
    local known = redis.call('HGET', versions, fields[place])
    if not known or tonumber(known) < tonumber(version) then
      redis.call('HSET', new, fields[place], fields[place + 1])
      redis.call('HSET', versions, fields[place], version)
    end
  end
  local known = redis.call('HGET', new, 'version')
  if not known or tonumber(known) < tonumber(version) then redis.call('HSET', new, 'version', version) end
end
"""
_COUNT_NEW = """
local function count_new(token, id, day, kept, points)
  local prefix = 'mall:new:' .. token .. ':'
  if redis.call('SADD', prefix .. 'mall:handled', id) == 0 then return 0 end
  for place = 1, #points, 2 do redis.call('ZINCRBY', prefix .. day, points[place + 1], points[place]) end
  redis.call('EXPIRE', prefix .. day, kept)
  return 1
end
"""

SET_IF_NEWER = (
    _PUT_NEW
    + """
local token = redis.call('GET', KEYS[2])
if token then put_new(token, KEYS[1], ARGV[1], {unpack(ARGV, 2)}) end
local known = redis.call('HGET', KEYS[1], 'version')
if known and tonumber(known) >= tonumber(ARGV[1]) then return 0 end
redis.call('HSET', KEYS[1], 'version', unpack(ARGV))
return 1
"""
)
"""KEYS: the item, the mark of a rebuild. ARGV: version, then fields and values."""

COUNT_ONCE = (
    _COUNT_NEW
    + """
local token = redis.call('GET', KEYS[3])
if token then count_new(token, ARGV[1], KEYS[2], ARGV[3], {unpack(ARGV, 4)}) end
if redis.call('SISMEMBER', KEYS[4], ARGV[1]) == 1 then return 0 end
if not redis.call('SET', KEYS[1], '1', 'NX', 'EX', ARGV[2]) then return 0 end
for place = 4, #ARGV, 2 do redis.call('ZINCRBY', KEYS[2], ARGV[place + 1], ARGV[place]) end
redis.call('EXPIRE', KEYS[2], ARGV[3])
return 1
"""
)
"""KEYS: the dedupe key, the day, the mark of a rebuild, what a rebuild handled. ARGV: event, seconds of dedupe, of the day, points."""

UNITE = """
if not redis.call('SET', KEYS[2], '1', 'NX', 'PX', ARGV[1]) then return 0 end
redis.call('ZUNIONSTORE', KEYS[1], #KEYS - 2, unpack(KEYS, 3))
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', 0)
redis.call('EXPIRE', KEYS[1], ARGV[2])
return 1
"""

REBUILD_PUT = (
    _PUT_NEW
    + """
put_new(ARGV[1], KEYS[1], ARGV[2], {unpack(ARGV, 3)})
return 1
"""
)
"""KEYS: the item in use. ARGV: rebuild, version, fields and values."""

REBUILD_COUNT = (
    _COUNT_NEW
    + """
return count_new(ARGV[1], ARGV[2], KEYS[1], ARGV[3], {unpack(ARGV, 4)})
"""
)
"""KEYS: the day in use. ARGV: rebuild, event, seconds of the day, points."""

STILL_OURS = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1
"""
"""KEYS: the mark of a rebuild. ARGV: rebuild, milliseconds."""

SWAP = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return {-1, 0, 0} end
local prefix = 'mall:new:' .. ARGV[1] .. ':'
local put_in, taken_out, stayed = 0, 0, 0
local function is_new(key) return redis.call('EXISTS', prefix .. key) == 1 end
local function take_out(key) taken_out = taken_out + 1; redis.call('UNLINK', key) end
for place = 2, 4 do
  local kind, is_cut = KEYS[place], ARGV[place] == '1'
  for _, key in ipairs(redis.call('KEYS', kind .. ':*')) do
    if not is_new(key) then
      if is_cut then stayed = stayed + 1 else take_out(key) end
    elseif is_cut then
      local fields = redis.call('HGETALL', key)
      for at = 1, #fields, 2 do redis.call('HSETNX', prefix .. key, fields[at], fields[at + 1]) end
    end
  end
end
for _, key in ipairs(redis.call('KEYS', 'mall:hot:[0-9]*')) do
  local day = string.match(key, '^mall:hot:(%d%d%d%d%d%d%d%d)$')
  if day and day <= ARGV[5] then
    stayed = stayed + 1
    redis.call('UNLINK', prefix .. key)
  elseif day and not is_new(key) then take_out(key) end
end
redis.call('UNLINK', unpack(KEYS, 5))
for _, key in ipairs(redis.call('KEYS', prefix .. '*')) do
  local own = string.sub(key, #prefix + 1)
  if string.sub(own, 1, 9) == 'versions:' then redis.call('UNLINK', key)
  else
    if own ~= KEYS[5] then put_in = put_in + 1 end
    redis.call('RENAME', key, own)
  end
end
if redis.call('EXISTS', KEYS[5]) == 1 then redis.call('EXPIRE', KEYS[5], ARGV[6]) end
redis.call('DEL', KEYS[1])
return {put_in, taken_out, stayed}
"""
"""KEYS: the mark of a rebuild, the three kinds, what a rebuild handled, the ranking and its freshness.

ARGV: rebuild; for each kind whether its topic tells only in part; the last day that is told in part, or nothing; seconds of dedupe.
"""
