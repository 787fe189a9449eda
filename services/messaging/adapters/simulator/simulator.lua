-- The simulated provider's own records of one partition: what was posted, and what it has yet to
-- tell. All keys of a call share one hash tag.

-- keys: posts, tally, due; args: start, outcomes (a byte each: 1 posted, 2 refused), batch, when
-- its first receipt is due, seconds to keep all this.
-- Posts a batch once. What was posted under the same keys before is not posted again: the answer
-- is the first one. The tally says how many were posted, and how many came again.
register('post', function(keys, args)
  local posts, tally, due = keys[1], keys[2], keys[3]
  local start, outcomes, seconds = tonumber(args[1]), args[2], tonumber(args[5])
  assert(start and seconds and #outcomes > 0, 'not a batch')
  local before = redis.call('GETRANGE', posts, start, start + #outcomes - 1)
  if string.find(before, '[^%z]') then
    redis.call('HINCRBY', tally, 'repeated', #outcomes)
    return before
  end
  redis.call('HINCRBY', tally, 'posted', #outcomes)
  redis.call('SETRANGE', posts, start, outcomes)
  if args[4] ~= '' then redis.call('ZADD', due, args[4], args[3]) end
  redis.call('EXPIRE', posts, seconds)
  redis.call('EXPIRE', due, seconds)
  redis.call('EXPIRE', tally, seconds)
  return outcomes
end)

-- keys: due; args: now, until when the caller keeps them from others, how many at most.
-- Batches with receipts that are due; each shows again at `until` unless it is settled.
register('claim', function(keys, args)
  local batches = redis.call('ZRANGEBYSCORE', keys[1], '-inf', args[1], 'LIMIT', 0, args[3])
  for _, batch in ipairs(batches) do redis.call('ZADD', keys[1], args[2], batch) end
  return batches
end)

-- keys: due; args: batch, what it is from now on, when that is due; '' for nothing more. A batch
-- that another caller settled meanwhile is left as it is.
register('settle', function(keys, args)
  for at = 1, #args, 3 do
    if redis.call('ZREM', keys[1], args[at]) == 1 and args[at + 1] ~= '' then
      redis.call('ZADD', keys[1], args[at + 2], args[at + 1])
    end
  end
end)
