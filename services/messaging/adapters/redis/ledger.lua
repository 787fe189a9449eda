-- The ledger of one partition: what is written together. All keys of a call share one hash tag.
--
-- A Function that fails half-way keeps its writes, so each one checks everything that could fail
-- before its first write: types, bounds, the fence. What cannot be done returns its reason as the
-- first word of the answer; an error is a fault of the caller.

local GROUP = 'workers'

-- How strong the evidence of each state byte is, by byte + 1: domain/deliveries.py STRENGTH.
local RANK = {0, 1, 2, 3, 6, 7, 4, 5}
local SKIPPED, FAILED = 6, 7
local NOT_A_STATE = '[^%z\1-\7]'
-- `unpack` and a command's arguments have a limit.
local BATCH = 1000

local function type_of(key)
  return redis.call('TYPE', key)['ok']
end

local function expect_type(key, wanted)
  local found = type_of(key)
  assert(found == wanted or found == 'none', key .. ' holds a ' .. found)
end

local function whole(text, least)
  local number = tonumber(text)
  assert(number and number >= least and number % 1 == 0, 'not a whole number: ' .. tostring(text))
  return number
end

-- The entry's pending record when `consumer` holds it for the `count`th time, else nil. An entry
-- that was acknowledged, or that somebody else (or this one again) took over, is not held.
local function held(stream, entry, consumer, count)
  if type_of(stream) ~= 'stream' then return nil end
  local pending = redis.pcall('XPENDING', stream, GROUP, entry, entry, 1)
  if pending.err or #pending == 0 then return nil end
  local owner, taken = pending[1][2], pending[1][4]
  return owner == consumer and taken == count
end

local function fields_of(entry)
  local fields = {}
  for at = 1, #entry[2], 2 do fields[entry[2][at]] = entry[2][at + 1] end
  return fields
end

-- The longest waiting entry whose holder has shown no life for `lease` milliseconds.
local function claim_stale(stream, consumer, lease)
  local stale = redis.pcall('XPENDING', stream, GROUP, 'IDLE', lease, '-', '+', 1)
  if stale.err or #stale == 0 then return nil end
  return redis.call('XCLAIM', stream, GROUP, consumer, lease, stale[1][1])[1]
end

local function read_new(stream, consumer)
  local read = redis.pcall('XREADGROUP', 'GROUP', GROUP, consumer, 'COUNT', 1, 'STREAMS', stream, '>')
  if not read or read.err then return nil end
  return read[1][2][1]
end

-- keys: stream, targets; args: consumer, lease in milliseconds.
-- Takes one chunk: one whose lease ran out, else the next. Answers nothing when there is none.
register('take', function(keys, args)
  local stream, targets = keys[1], keys[2]
  local consumer, lease = args[1], whole(args[2], 0)
  if type_of(stream) ~= 'stream' then return {} end
  local entry = claim_stale(stream, consumer, lease) or read_new(stream, consumer)
  if not entry then return {} end
  local pending = redis.call('XPENDING', stream, GROUP, entry[1], entry[1], 1)[1]
  local fields = fields_of(entry)
  local start, count = tonumber(fields['start']), tonumber(fields['count'])
  local ids = redis.call('GETRANGE', targets, start * 16, (start + count) * 16 - 1)
  return {entry[1], pending[4], start, tonumber(fields['attempt']), fields['traceparent'], ids}
end)

-- keys: stream; args: consumer, then entry and delivery count for each chunk.
-- Refreshes the lease of those that are still held; answers 1 or 0 for each.
register('hold', function(keys, args)
  local stream, consumer = keys[1], args[1]
  local answers = {}
  for at = 2, #args, 2 do
    local mine = held(stream, args[at], consumer, whole(args[at + 1], 1))
    if mine then redis.call('XCLAIM', stream, GROUP, consumer, 0, args[at], 'JUSTID') end
    answers[#answers + 1] = mine and 1 or 0
  end
  return answers
end)

local function has_reason(state)
  return state == SKIPPED or state == FAILED
end

-- A run of evidence as args[at ...] tells it: start, states, how many reasons, and then position
-- and reason in turn. Checks that it lies within a ledger of that size. Answers where it ends too.
local function run_from(args, at, size)
  local run = {start = whole(args[at], 0), states = args[at + 1], reasons = {}}
  assert(#run.states > 0 and run.start + #run.states <= size, 'evidence outside of the ledger')
  assert(not string.find(run.states, NOT_A_STATE), 'not a state')
  local last = at + 2 + whole(args[at + 2], 0) * 2
  assert(last <= #args, 'a reason is missing')
  for pair = at + 3, last, 2 do
    run.reasons[whole(args[pair], 0)] = args[pair + 1]
  end
  return run, last + 1
end

local function set_reasons(key, changes)
  for at = 1, #changes, BATCH do
    redis.call('HSET', key, unpack(changes, at, math.min(at + BATCH - 1, #changes)))
  end
end

-- Two reasons for one state: the first in the order of their texts, whichever came first.
local function prior_reason(key, position, told)
  local stored = redis.call('HGET', key, position)
  return told and (not stored or told < stored)
end

-- The usual case, a chunk's first outcome: nothing was known, so the evidence is the answer.
local function write_run(ledger, reasons_key, run)
  local changes = {}
  for position, reason in pairs(run.reasons) do
    local state = string.byte(run.states, position - run.start + 1)
    if position >= run.start and state and has_reason(state) then
      changes[#changes + 1] = position
      changes[#changes + 1] = reason
    end
  end
  redis.call('SETRANGE', ledger, run.start, run.states)
  set_reasons(reasons_key, changes)
end

-- Joins evidence into the ledger: per delivery the stronger state stays, and of equal states the
-- lesser reason. Answers whether anything changed. Everything was checked before.
local function join_run(ledger, reasons_key, run)
  local start, states, told = run.start, run.states, run.reasons
  local before = redis.call('GETRANGE', ledger, start, start + #states - 1)
  if before == string.rep('\0', #states) then
    if states == before then return false end
    write_run(ledger, reasons_key, run)
    return true
  end
  local pieces, copied, changes, moved = {}, 1, {}, false
  local at = string.find(states, '[^%z]')
  while at do
    local new, old = string.byte(states, at), string.byte(before, at)
    local position = start + at - 1
    if RANK[new + 1] > RANK[old + 1] then
      pieces[#pieces + 1] = string.sub(before, copied, at - 1)
      pieces[#pieces + 1] = string.sub(states, at, at)
      copied, moved = at + 1, true
      if has_reason(new) and told[position] then
        changes[#changes + 1] = position
        changes[#changes + 1] = told[position]
      elseif has_reason(old) then
        redis.call('HDEL', reasons_key, position)
      end
    elseif new == old and has_reason(new) and prior_reason(reasons_key, position, told[position]) then
      changes[#changes + 1] = position
      changes[#changes + 1] = told[position]
    end
    at = string.find(states, '[^%z]', at + 1)
  end
  if moved then
    pieces[#pieces + 1] = string.sub(before, copied)
    redis.call('SETRANGE', ledger, start, table.concat(pieces))
  end
  set_reasons(reasons_key, changes)
  return moved or #changes > 0
end

local function check_keys(ledger, version, reasons)
  assert(type_of(ledger) == 'string', 'no ledger at ' .. ledger)
  expect_type(reasons, 'hash')
  whole(redis.call('GET', version), 0)
end

-- keys: stream, ledger, version, reasons; args: consumer, entry, delivery count, a run.
-- Writes the outcome of a chunk and acknowledges it, if the consumer still holds it.
register('commit_chunk', function(keys, args)
  local stream, ledger, version, reasons = keys[1], keys[2], keys[3], keys[4]
  local consumer, entry, count = args[1], args[2], whole(args[3], 1)
  if not held(stream, entry, consumer, count) then return {'lost'} end
  check_keys(ledger, version, reasons)
  local run = run_from(args, 4, redis.call('STRLEN', ledger))
  local written = redis.call('XRANGE', stream, entry, entry)[1]
  local fields = written and fields_of(written)
  assert(not fields or
    (tonumber(fields['start']) == run.start and tonumber(fields['count']) == #run.states),
    'the outcome is of another chunk')

  if join_run(ledger, reasons, run) then redis.call('INCR', version) end
  redis.call('XACK', stream, GROUP, entry)
  return {'ok'}
end)

-- keys: ledger, version, reasons; args: runs.
-- Joins evidence that comes outside of a chunk. Answers whether anything changed.
register('apply_receipts', function(keys, args)
  local ledger, version, reasons = keys[1], keys[2], keys[3]
  if type_of(ledger) == 'none' then return {'unknown'} end
  check_keys(ledger, version, reasons)
  local size = redis.call('STRLEN', ledger)
  local runs, at = {}, 1
  while at <= #args do runs[#runs + 1], at = run_from(args, at, size) end

  local changed = false
  for _, run in ipairs(runs) do changed = join_run(ledger, reasons, run) or changed end
  if changed then redis.call('INCR', version) end
  return {changed and 'changed' or 'same'}
end)

-- keys: stream, targets, ledger, version; args: ids of groups (16 bytes each), chunk size,
-- traceparent.
-- Writes a partition once; a repeat with the same groups changes nothing.
register('write_partition', function(keys, args)
  local stream, targets, ledger, version = keys[1], keys[2], keys[3], keys[4]
  local ids, chunk, traceparent = args[1], whole(args[2], 1), args[3]
  local size = #ids / 16
  assert(size >= 1 and size % 1 == 0, 'ids of groups have 16 bytes each')
  if redis.call('EXISTS', ledger) == 1 then
    return {redis.call('GET', targets) == ids and 'ok' or 'other'}
  end

  redis.call('DEL', stream)
  redis.call('XGROUP', 'CREATE', stream, GROUP, '0', 'MKSTREAM')
  for start = 0, size - 1, chunk do
    -- Ids that we choose: 1-0, 2-0, ...; a stream stores those in a byte or two.
    redis.call('XADD', stream, (start / chunk + 1) .. '-0', 'start', start, 'count',
      math.min(chunk, size - start), 'attempt', 1, 'traceparent', traceparent)
  end
  redis.call('SET', targets, ids)
  redis.call('SET', version, 0)
  redis.call('SET', ledger, string.rep('\0', size))
  return {'ok'}
end)

-- keys: stream.
-- Forgets the stream of a partition whose chunks are all acknowledged.
register('retire', function(keys)
  local stream = keys[1]
  if type_of(stream) ~= 'stream' then return {'ok'} end
  for _, info in ipairs(redis.call('XINFO', 'GROUPS', stream)) do
    local group = {}
    for at = 1, #info, 2 do group[info[at]] = info[at + 1] end
    if group['pending'] ~= 0 or group['lag'] ~= 0 then return {'busy'} end
  end
  redis.call('DEL', stream)
  return {'ok'}
end)

-- keys: version, ledger; args: the version that the caller has, or nothing.
-- The version, and the states unless the caller has them: both of one moment.
register_read('read', function(keys, args)
  local version = redis.call('GET', keys[1])
  if not version then return {} end
  if version == args[1] then return {version} end
  return {version, redis.call('GET', keys[2])}
end)

-- keys: targets, ledger, reasons; args: positions.
-- Groups, states and reasons ('' for none) of these deliveries: all of one moment.
register_read('pick', function(keys, args)
  local ids, states, reasons = {}, {}, {}
  for at, text in ipairs(args) do
    local position = whole(text, 0)
    ids[at] = redis.call('GETRANGE', keys[1], position * 16, position * 16 + 15)
    states[at] = redis.call('GETRANGE', keys[2], position, position)
    local state = string.byte(states[at])
    reasons[at] = state and has_reason(state) and redis.call('HGET', keys[3], text) or ''
  end
  return {table.concat(ids), table.concat(states), reasons}
end)
