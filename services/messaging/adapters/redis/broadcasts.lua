-- Broadcasts of one tenant: what is written together. All keys of a call share the tenant's tag.
--
-- A Function that fails half-way keeps its writes, so each one checks everything that could fail
-- before its first write. What cannot be done returns its reason as the first word of the answer.
-- Which state may follow which is told by the caller (domain/broadcasts.py); here it is compared.

local GROUP = 'planners'

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

-- What the request id was used for: nil when it is new.
local function earlier(request, fingerprint, broadcast_id)
  expect_type(request, 'hash')
  local known = redis.call('HMGET', request, 'fingerprint', 'broadcast')
  if not known[1] then return nil end
  if known[1] ~= fingerprint then return {'reused'} end
  return {'replayed', known[2] or broadcast_id}
end

local function remember(request, fingerprint, broadcast_id, seconds, ...)
  redis.call('HSET', request, 'fingerprint', fingerprint, 'broadcast', broadcast_id, ...)
  redis.call('EXPIRE', request, seconds)
end

local function move(broadcast, state, ...)
  redis.call('HSET', broadcast, 'state', state, ...)
  return redis.call('HINCRBY', broadcast, 'revision', 1)
end

local function check_broadcast(broadcast)
  whole(redis.call('HGET', broadcast, 'revision'), 1)
end

-- keys: request, broadcast, index; args: fingerprint, broadcast's id, seconds to remember the
-- request, its place in the index, then the broadcast's fields.
register('create', function(keys, args)
  local request, broadcast, index = keys[1], keys[2], keys[3]
  local fingerprint, id, seconds = args[1], args[2], whole(args[3], 1)
  local before = earlier(request, fingerprint, id)
  if before then return before end
  expect_type(index, 'zset')
  assert(redis.call('EXISTS', broadcast) == 0, 'the id is taken')
  assert(#args % 2 == 0 and #args > 4, 'a field without its value')

  redis.call('HSET', broadcast, unpack(args, 5))
  redis.call('ZADD', index, 0, args[4])
  remember(request, fingerprint, id, seconds)
  return {'created', id}
end)

-- keys: request, broadcast, jobs; args: fingerprint, broadcast's id, seconds to remember the
-- request, from state, to state, instant, traceparent.
-- Moves a draft on and writes the job of planning it; answers with the broadcast's fields and
-- the revision that it was started as.
register('start', function(keys, args)
  local request, broadcast, jobs = keys[1], keys[2], keys[3]
  local fingerprint, id, seconds = args[1], args[2], whole(args[3], 1)
  local before = earlier(request, fingerprint, id)
  if before and before[1] == 'reused' then return before end
  if before then
    return {'replayed', redis.call('HGETALL', broadcast), redis.call('HGET', request, 'revision')}
  end
  local state = redis.call('HGET', broadcast, 'state')
  if not state then return {'missing'} end
  if state ~= args[4] then return {'state', state} end
  check_broadcast(broadcast)
  expect_type(jobs, 'stream')

  -- From '0', so that a job that was written before the group existed is read too.
  if redis.call('EXISTS', jobs) == 0 then
    redis.call('XGROUP', 'CREATE', jobs, GROUP, '0', 'MKSTREAM')
  end
  redis.call('XADD', jobs, '*', 'broadcast', id, 'traceparent', args[7])
  local revision = move(broadcast, args[5], 'started_at', args[6])
  remember(request, fingerprint, id, seconds, 'revision', revision)
  return {'started', redis.call('HGETALL', broadcast), tostring(revision)}
end)

local function held(jobs, entry, consumer, count)
  if type_of(jobs) ~= 'stream' then return false end
  local pending = redis.pcall('XPENDING', jobs, GROUP, entry, entry, 1)
  if pending.err or #pending == 0 then return false end
  return pending[1][2] == consumer and pending[1][4] == count
end

local function claim_stale(jobs, consumer, lease)
  local stale = redis.pcall('XPENDING', jobs, GROUP, 'IDLE', lease, '-', '+', 1)
  if stale.err or #stale == 0 then return nil end
  return redis.call('XCLAIM', jobs, GROUP, consumer, lease, stale[1][1])[1]
end

-- The fields of an answer that tells names and values in turn.
local function fields_of(told)
  local fields = {}
  for at = 1, #told, 2 do fields[told[at]] = told[at + 1] end
  return fields
end

local function planners_of(jobs)
  for _, told in ipairs(redis.call('XINFO', 'GROUPS', jobs)) do
    local group = fields_of(told)
    if group['name'] == GROUP then return group end
  end
  return nil
end

-- Reading makes the reader known to the stream for good, so it is done only for what is there.
local function read_new(jobs, consumer)
  local group = planners_of(jobs)
  if not group or group['lag'] == 0 then return nil end
  local read = redis.pcall('XREADGROUP', 'GROUP', GROUP, consumer, 'COUNT', 1, 'STREAMS', jobs, '>')
  if not read or read.err then return nil end
  return read[1][2][1]
end

-- keys: jobs; args: consumer, lease in milliseconds.
-- Takes one job: one whose lease ran out, else the next. Answers nothing when there is none.
register('take_job', function(keys, args)
  local jobs, consumer, lease = keys[1], args[1], whole(args[2], 0)
  if type_of(jobs) ~= 'stream' then return {} end
  local entry = claim_stale(jobs, consumer, lease) or read_new(jobs, consumer)
  if not entry then return {} end
  local pending = redis.call('XPENDING', jobs, GROUP, entry[1], entry[1], 1)[1]
  return {entry[1], pending[4], entry[2][2], entry[2][4]}
end)

-- keys: jobs; args: consumer, entry, delivery count. Refreshes the lease if it is still held.
register('hold_job', function(keys, args)
  if not held(keys[1], args[2], args[1], whole(args[3], 1)) then return {'lost'} end
  redis.call('XCLAIM', keys[1], GROUP, args[1], 0, args[2], 'JUSTID')
  return {'ok'}
end)

-- Processes that went hold nothing and show no life.
local function forget_idle(jobs, keep)
  for _, told in ipairs(redis.call('XINFO', 'CONSUMERS', jobs, GROUP)) do
    local consumer = fields_of(told)
    if consumer['pending'] == 0 and consumer['idle'] >= keep then
      redis.call('XGROUP', 'DELCONSUMER', jobs, GROUP, consumer['name'])
    end
  end
end

-- Acknowledges the job and trims what is acknowledged: by XTRIM from the old end and never by
-- XDEL, which makes the stream's lag unknown. Forgets consumers that were idle for `keep` ms.
local function finish_job(jobs, entry, keep)
  redis.call('XACK', jobs, GROUP, entry)
  local waiting = redis.call('XPENDING', jobs, GROUP)
  local oldest = waiting[1] > 0 and waiting[2]
  redis.call('XTRIM', jobs, 'MINID', oldest or planners_of(jobs)['last-delivered-id'])
  forget_idle(jobs, keep)
end

-- keys: jobs, broadcast, frame, open; args: consumer, entry, delivery count, broadcast's id, from
-- state, to state, partition size, deliveries, frame, for how many ms to keep idle consumers.
-- Makes the plan of this holder of the job the broadcast's, which workers then see. The job's
-- delivery count is the plan's generation. A repeat after success changes nothing.
register('finalise_plan', function(keys, args)
  local jobs, broadcast, frame, open = keys[1], keys[2], keys[3], keys[4]
  local consumer, entry, count = args[1], args[2], whole(args[3], 1)
  local size, deliveries, keep = whole(args[7], 1), whole(args[8], 1), whole(args[10], 0)
  local known = redis.call('HMGET', broadcast, 'state', 'generation')
  if not known[1] then return {'missing'} end
  if known[2] == args[3] then return {'ok'} end
  if not held(jobs, entry, consumer, count) then return {'lost'} end
  if known[1] ~= args[5] then return {'state', known[1]} end
  check_broadcast(broadcast)
  expect_type(open, 'set')

  redis.call('SET', frame, args[9])
  redis.call('SADD', open, args[4])
  move(broadcast, args[6], 'generation', count, 'deliveries', deliveries, 'partition_size', size)
  finish_job(jobs, entry, keep)
  return {'ok'}
end)

-- keys: jobs, broadcast; args: consumer, entry, delivery count, from state, to state, instant,
-- reason, for how many ms to keep idle consumers. Gives the broadcast up. A repeat after success
-- changes nothing.
register('fail_plan', function(keys, args)
  local jobs, broadcast = keys[1], keys[2]
  local consumer, entry, count = args[1], args[2], whole(args[3], 1)
  local keep = whole(args[8], 0)
  if not held(jobs, entry, consumer, count) then return {'lost'} end
  local state = redis.call('HGET', broadcast, 'state')
  if state == args[4] then
    check_broadcast(broadcast)
    move(broadcast, args[5], 'completed_at', args[6], 'failure_reason', args[7])
  end
  finish_job(jobs, entry, keep)
  return {'ok'}
end)

-- keys: broadcast; args: from state, to state, instant. Answers with the broadcast's fields.
register('complete', function(keys, args)
  local state = redis.call('HGET', keys[1], 'state')
  if not state then return {'missing'} end
  if state == args[1] then
    check_broadcast(keys[1])
    move(keys[1], args[2], 'completed_at', args[3])
  end
  return {state == args[1] and 'completed' or 'state', redis.call('HGETALL', keys[1])}
end)

-- keys: broadcasts; args: how many bytes of drafts at most. The fields of each, in order; nothing
-- for one that does not exist. As many of the first as their drafts allow, but at least one.
register_read('records', function(keys, args)
  local records, left = {}, whole(args[1], 1)
  for at, key in ipairs(keys) do
    left = left - redis.call('HSTRLEN', key, 'draft')
    if left < 0 and at > 1 then break end
    records[at] = redis.call('HGETALL', key)
  end
  return records
end)

-- All fields but the draft, which never changes and may be large.
local STANDING = {'author', 'created_at', 'state', 'revision', 'started_at', 'completed_at',
  'failure_reason', 'generation', 'deliveries', 'partition_size'}

-- keys: broadcasts. Where each stands: its fields but the draft; nothing for one that does not
-- exist.
register_read('standings', function(keys)
  local standings = {}
  for at, key in ipairs(keys) do
    local standing = {}
    for number, value in ipairs(redis.call('HMGET', key, unpack(STANDING))) do
      if value then
        standing[#standing + 1] = STANDING[number]
        standing[#standing + 1] = value
      end
    end
    standings[at] = standing
  end
  return standings
end)
