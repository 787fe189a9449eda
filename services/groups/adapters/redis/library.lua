-- The two steps of the register that must not be interrupted. Keys are named by the caller and
-- share one slot. A Function that fails half-way keeps its writes, so everything is checked
-- before the first of them.

local LAYOUT = '1'
-- Lua's stack holds some 8,000 values; a multiple of two, for pairs.
local BATCH = 4000
local KEPT_CHANGES = 1000
-- Beyond this many ranges, or half of the rows, the whole is cheaper than its parts.
local MOST_RUNS = 2000

-- Which rows changed after a version that the caller holds, or the whole register.
-- keys: meta, rows, changes. args: version, revision.
-- Answers {version, revision} when the caller's is current; else {version, revision,
-- tree_version, count, kinds, categories, layout, base, start, bytes, start, bytes, ...}, where
-- `base` is the caller's version, or 0 when the rows are all there are.
local function snapshot(keys, args)
  local meta = redis.call('HMGET', keys[1], 'version', 'revision', 'tree_version', 'count',
    'kinds', 'categories', 'layout')
  local version = tonumber(meta[1] or 0)
  local revision = meta[2] or ''
  if version == tonumber(args[1]) and revision == args[2] then
    return {version, revision}
  end
  local answer = {version, revision, tonumber(meta[3] or 0), tonumber(meta[4] or 0),
    meta[5] or '[]', meta[6] or '[]', meta[7] or LAYOUT, 0}

  local function whole()
    local rows = redis.call('GET', keys[2]) or ''
    return {answer[1], answer[2], answer[3], answer[4], answer[5], answer[6], answer[7], 0, 0, rows}
  end

  local known = tonumber(args[1])
  if known == 0 or known >= version or answer[7] ~= LAYOUT then
    return whole()
  end
  local entries = redis.call('XRANGE', keys[3], known .. '-0', '+')
  -- The caller's own version must be there and be the same one, and none may be missing after it.
  if #entries ~= version - known + 1 or entries[1][1] ~= known .. '-0'
    or entries[1][2][2] ~= args[2] then
    return whole()
  end
  answer[8] = known
  local rows = 0
  for i = 2, #entries do
    for start, length in string.gmatch(entries[i][2][4], '(%d+):(%d+)') do
      rows = rows + length
      if rows * 2 > answer[4] or #answer > 2 * MOST_RUNS then
        return whole()
      end
      answer[#answer + 1] = tonumber(start)
      answer[#answer + 1] = redis.call('GETRANGE', keys[2], start * 128, (start + length) * 128 - 1)
    end
  end
  return answer
end

-- Applies one change.
-- keys: meta, rows, record, changes, request.
-- args: version, revision and count that are expected; revision, count, tree version, kinds and
-- categories to be; answer and how many milliseconds to keep it; number of runs, then start and
-- bytes of each; number of names and values of records, then those; number of records to drop,
-- then their names.
-- Answers {'applied', version}, {'replayed', answer} or {'moved', version}.
local function commit(keys, args)
  local replayed = redis.call('GET', keys[5])
  if replayed then
    return {'replayed', replayed}
  end
  local meta = redis.call('HMGET', keys[1], 'version', 'revision', 'count', 'layout')
  local version, revision = tonumber(meta[1] or 0), meta[2] or ''
  if version ~= tonumber(args[1]) or revision ~= args[2] then
    return {'moved', version}
  end
  local count, count_after = tonumber(args[3]), tonumber(args[5])
  local runs = tonumber(args[11])
  local records_at = 12 + 2 * runs
  local records = tonumber(args[records_at])
  local dropped_at = records_at + records + 1
  local dropped = tonumber(args[dropped_at])
  local written = {}
  local whole = count == count_after
  for i = 12, records_at - 1, 2 do
    local start, length = tonumber(args[i]), #args[i + 1] / 128
    if length < 1 or length % 1 ~= 0 or start > count or start + length > count_after then
      return redis.error_reply('ERR a run of rows lies outside the register')
    end
    whole = whole or start + length == count_after
    written[#written + 1] = start .. ':' .. length
  end
  if not whole or count ~= tonumber(meta[3] or 0) or (meta[4] or LAYOUT) ~= LAYOUT
    or redis.call('STRLEN', keys[2]) ~= count * 128 or #args ~= dropped_at + dropped then
    return redis.error_reply('ERR the change does not fit the register')
  end

  if runs > 0 then
    for i = 12, records_at - 1, 2 do
      redis.call('SETRANGE', keys[2], args[i] * 128, args[i + 1])
    end
    for i = records_at + 1, records_at + records, BATCH do
      local last = math.min(i + BATCH - 1, records_at + records)
      redis.call('HSET', keys[3], unpack(args, i, last))
    end
    for i = dropped_at + 1, dropped_at + dropped, BATCH do
      local last = math.min(i + BATCH - 1, dropped_at + dropped)
      redis.call('HDEL', keys[3], unpack(args, i, last))
    end
    version = version + 1
    redis.call('HSET', keys[1], 'version', version, 'revision', args[4], 'count', count_after,
      'tree_version', args[6], 'kinds', args[7], 'categories', args[8], 'layout', LAYOUT)
    redis.call('XADD', keys[4], 'MAXLEN', '~', KEPT_CHANGES, version .. '-0',
      'revision', args[4], 'runs', table.concat(written, ','))
  end
  redis.call('SET', keys[5], args[9], 'PX', args[10])
  return {'applied', version}
end

register_read('snapshot', snapshot)
register('commit', commit)
