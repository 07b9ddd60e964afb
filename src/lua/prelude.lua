-- What scripts find: the globals, and `redis`. Runs once for an interpreter, in the plain environment; scripts run in the
-- environment that it leaves behind. What only Rust can do comes in as `native`: `reach`, `call` and `pcall` are good while
-- a script runs, the others always.

local native = ...
local error, getmetatable, ipairs, pairs, pcall, rawset, select, setmetatable, tostring, type, unpack, xpcall =
  error, getmetatable, ipairs, pairs, pcall, rawset, select, setmetatable, tostring, type, unpack, xpcall
local getinfo = debug.getinfo
local create, resume, running, yield = coroutine.create, coroutine.resume, coroutine.running, coroutine.yield
local arm, guard = arm, guard
local reach = guard(native.reach)
local globals = _G

-- Operations of the host function.
local LOG, MAY, SET_RESP, REPLICATE, RANDOM, SEED = 1, 2, 3, 4, 5, 6

local PRELUDE = getinfo(1, 'S').source

-- Tables that scripts can read and not change: an empty one in front of the real one.
local locked = setmetatable({}, { __mode = 'k' })

local READONLY = 'Attempt to modify a readonly table'

local function refuse()
  error(READONLY, 2)
end

local lock_of_locks = {}

local function lock(real)
  local front = setmetatable({}, { __index = real, __newindex = refuse, __metatable = lock_of_locks })
  locked[front] = true
  return front
end

setmetatable(lock_of_locks, { __newindex = refuse, __index = { __index = true } })
locked[lock_of_locks] = true

-- What an error becomes on its way out: a table that says what went wrong and where in the thread.
local function with_place(problem, thread)
  local level, info = 0, getinfo(thread, 0, 'Sl')
  while info and (info.what == 'C' or info.what == 'tail' or info.source == PRELUDE) do
    level = level + 1
    info = getinfo(thread, level, 'Sl')
  end
  if type(problem) ~= 'table' then
    problem = { err = 'ERR ' .. tostring(problem) }
  end
  if info then
    problem.source, problem.line = info.source, info.currentline
  end
  return problem
end

local function fail(text)
  error({ err = 'ERR ' .. text }, 0)
end

-- The globals.

local real = {}
for _, name in ipairs({
  '_VERSION', 'assert', 'collectgarbage', 'coroutine', 'error', 'gcinfo', 'getmetatable', 'ipairs', 'next', 'pairs',
  'rawequal', 'rawget', 'tostring', 'type', 'xpcall',
}) do
  real[name] = globals[name]
end

-- Only source is loaded: compiled code could do what no source can.
local function is_compiled(piece)
  return type(piece) == 'string' and piece:byte(1) == 27
end

local COMPILED = 'attempt to load chunk with wrong mode'
local load_source, load_pieces = loadstring, load

function real.loadstring(source, ...)
  if is_compiled(source) then
    return nil, COMPILED
  end
  return load_source(source, ...)
end

function real.load(next_piece, ...)
  local is_first = true
  local function piece()
    local text = next_piece()
    if is_first and is_compiled(text) then
      error(COMPILED, 0)
    end
    is_first = false
    return text
  end
  return load_pieces(type(next_piece) == 'function' and piece or next_piece, ...)
end

local function outcome(ok, ...)
  if not ok then
    local problem = ...
    if type(problem) == 'table' and type(problem.err) == 'string' then
      return false, problem.err
    end
  end
  return ok, ...
end

function real.pcall(...)
  return outcome(pcall(...))
end

function real.rawset(subject, key, value)
  if locked[subject] then
    error(READONLY, 0)
  end
  return rawset(subject, key, value)
end

function real.setmetatable(subject, metatable)
  if locked[subject] then
    error(READONLY, 0)
  end
  return setmetatable(subject, metatable)
end

-- Lua 5.1 drops the fraction of a number where a whole one is wanted; the interpreter insists on a whole one.
local function whole(n)
  if type(n) == 'string' then
    n = tonumber(n)
  end
  if type(n) ~= 'number' or n ~= n or n % 1 == 0 then
    return n
  end
  return n > 0 and n - n % 1 or -(-n - -n % 1)
end

local function truncating(f, positions)
  return function(...)
    local count, words = select('#', ...), { ... }
    for _, at in ipairs(positions) do
      if at <= count then
        words[at] = whole(words[at]) or words[at]
      end
    end
    return f(unpack(words, 1, count))
  end
end

-- Calls `f`, and only when that fails once more with whole numbers: what is right already costs nothing.
local function lenient(f, positions)
  local again = truncating(f, positions)
  return function(...)
    for i = 1, #positions do
      local word = select(positions[i], ...)
      if type(word) == 'number' and word % 1 ~= 0 then
        return again(...)
      end
    end
    return f(...)
  end
end

local text, list = {}, {}
for name, f in pairs(string) do
  text[name] = f
end
for name, f in pairs(table) do
  list[name] = f
end
text.rep, text.sub = lenient(string.rep, { 2 }), lenient(string.sub, { 2, 3 })
text.byte = lenient(string.byte, { 2, 3 })
local char = string.char
function text.char(...)
  for i = 1, select('#', ...) do
    local code = select(i, ...)
    if type(code) == 'number' and code % 1 ~= 0 then
      local codes = { ... }
      for j = 1, #codes do
        codes[j] = whole(codes[j])
      end
      return char(unpack(codes))
    end
  end
  return char(...)
end
local format = string.format
function text.format(pattern, ...)
  for i = 1, select('#', ...) do
    local word = select(i, ...)
    if type(word) == 'number' and word % 1 ~= 0 and type(pattern) == 'string' then
      -- Only some conversions want whole numbers.
      local words, at = { ... }, 0
      for conversion in pattern:gsub('%%%%', ''):gmatch('%%[-+ #0]*%d*%.?%d*(%a)') do
        at = at + 1
        if ('cdioxXu'):find(conversion, 1, true) then
          words[at] = whole(words[at])
        end
      end
      return format(pattern, unpack(words, 1, select('#', ...)))
    end
  end
  return format(pattern, ...)
end
list.concat = lenient(table.concat, { 3, 4 })
list.remove = lenient(table.remove, { 2 })
real.unpack, real.select = lenient(unpack, { 2, 3 }), lenient(select, { 1 })

-- A number counts as its text does.
local to_number = tonumber
local INFINITE = {}
for _, word in ipairs({ 'inf', 'infinity' }) do
  INFINITE[word], INFINITE['+' .. word], INFINITE['-' .. word] = math.huge, math.huge, -math.huge
end
function real.tonumber(value, base)
  if base ~= nil and type(value) == 'number' then
    value = tostring(value)
  end
  if base == nil then
    local n = to_number(value)
    if n == nil and type(value) == 'string' then
      return INFINITE[value:lower():match('^%s*([-+]?%a+)%s*$')]
    end
    return n
  end
  return to_number(value, base)
end

local numbers = {}
for name, f in pairs(math) do
  numbers[name] = f
end

function numbers.random(low, high)
  local chance = reach(RANDOM)
  if low == nil then
    return chance
  elseif high == nil then
    low, high = 1, low
  end
  low, high = whole(low), whole(high)
  if type(low) ~= 'number' or type(high) ~= 'number' then
    error("bad argument #1 to 'random' (number expected, got " .. type(low) .. ')', 2)
  elseif low > high then
    error("bad argument #" .. (low == 1 and 1 or 2) .. " to 'random' (interval is empty)", 2)
  end
  return numbers.floor(chance * (high - low + 1)) + low
end

function numbers.randomseed(seed)
  reach(SEED, seed)
end

real.string, real.table, real.math = lock(text), lock(list), lock(numbers)

-- All scripts run in one thread, so that they can pause. They do not see it.

local driver
local FINISHED = {}

local function work(f, keys, arguments)
  arm()
  while true do
    f, keys, arguments = yield(FINISHED, f(keys, arguments))
  end
end

-- Whether the script went well, and its result or what went wrong; nothing if it has paused.
local function progress(is_alive, mark, result)
  if not is_alive then
    local thread = driver
    driver = nil
    return false, with_place(mark, thread)
  elseif mark == FINISHED then
    return true, result
  end
end

local threads = {}
for name, f in pairs(coroutine) do
  threads[name] = f
end

function threads.yield(...)
  if running() == driver then
    error('attempt to yield across metamethod/C-call boundary', 2)
  end
  return yield(...)
end

function threads.running()
  local thread = running()
  return thread ~= driver and thread or nil
end

real.coroutine = lock(threads)
getmetatable('').__index = text
getmetatable('').__metatable = lock_of_locks

-- Libraries that Rust brings.
for name, library in pairs(native.libraries) do
  for field, value in pairs(library) do
    if type(value) == 'function' then
      library[field] = guard(value)
    end
  end
  real[name] = lock(library)
end
function native.libraries.cjson.new()
  return real.cjson
end

-- redis

local redis = {
  LOG_DEBUG = 0, LOG_VERBOSE = 1, LOG_NOTICE = 2, LOG_WARNING = 3,
  REPL_NONE = 0, REPL_AOF = 1, REPL_SLAVE = 2, REPL_REPLICA = 2, REPL_ALL = 3,
  call = guard(native.call), pcall = guard(native.pcall),
}

local function single_field(name)
  return function(...)
    local message = ...
    if select('#', ...) ~= 1 or type(message) ~= 'string' then
      return { err = 'ERR wrong number or type of arguments' }
    end
    return { [name] = message }
  end
end

redis.status_reply = single_field('ok')

local error_table = single_field('err')
function redis.error_reply(...)
  local reply = error_table(...)
  local message = reply.err:gsub('^%-', '')
  reply.err = message:find(' ', 1, true) and message or 'ERR ' .. message
  return reply
end

function redis.sha1hex(...)
  if select('#', ...) ~= 1 then
    fail('wrong number of arguments')
  end
  return native.sha1hex((...))
end

function redis.log(level, ...)
  if select('#', ...) == 0 then
    fail('redis.log() requires two arguments or more.')
  elseif type(level) ~= 'number' then
    fail('First argument must be a number (log level).')
  elseif level < redis.LOG_DEBUG or level > redis.LOG_WARNING then
    fail('Invalid log level.')
  end
  local words = { ... }
  for i = 1, select('#', ...) do
    words[i] = type(words[i]) == 'string' and words[i] or type(words[i]) == 'number' and tostring(words[i]) or ''
  end
  reach(LOG, level, list.concat(words, ' '))
end

function redis.setresp(...)
  local version = ...
  if select('#', ...) ~= 1 then
    fail('redis.setresp() requires one argument.')
  elseif version ~= 2 and version ~= 3 then
    fail('RESP version must be 2 or 3.')
  end
  reach(SET_RESP, version)
end

function redis.set_repl(...)
  local flags = ...
  if select('#', ...) ~= 1 then
    fail('redis.set_repl() requires two arguments.')
  elseif type(flags) ~= 'number' or flags < redis.REPL_NONE or flags > redis.REPL_ALL then
    fail('Invalid replication flags. Use REPL_AOF, REPL_REPLICA, REPL_ALL or REPL_NONE.')
  end
  reach(REPLICATE, flags ~= redis.REPL_NONE)
end

function redis.replicate_commands()
  return true
end

function redis.breakpoint()
  return false
end

function redis.debug() end

function redis.acl_check_cmd(...)
  local reply = reach(MAY, ...)
  if type(reply) == 'table' then
    error(reply, 0)
  end
  return reply
end

local version = native.version
redis.REDIS_VERSION = version
local major, minor, patch = version:match('(%d+)%.(%d+)%.(%d+)')
redis.REDIS_VERSION_NUM = major * 65536 + minor * 256 + patch

-- A call by a compiled function stays on the stack when it is the last thing that a script does, and says where it was.
for name, value in pairs(redis) do
  if type(value) == 'function' and name ~= 'call' and name ~= 'pcall' then
    redis[name] = guard(value)
  end
end

-- What a library finds while it is loaded: it can register functions, and nothing else.

-- The functions of the library that is being loaded.
local registered

local NAMED = {
  function_name = { 'string', 'function_name argument given to redis.register_function must be a string' },
  description = { 'string', 'description argument given to redis.register_function must be a string' },
  callback = { 'function', 'callback argument given to redis.register_function must be a function' },
  flags = { 'table', 'flags argument to redis.register_function must be a table representing function flags' },
}

-- Numbers count as text, here as in Lua.
local function is_a(kind, value)
  return type(value) == kind or kind == 'string' and type(value) == 'number'
end

local function checked_flags(flags)
  local list = {}
  for i, flag in ipairs(flags or {}) do
    if not is_a('string', flag) or not native.is_flag(flag) then
      fail('unknown flag given')
    end
    list[i] = flag
  end
  return list
end

local function by_name(arguments)
  if type(arguments) ~= 'table' then
    fail('calling redis.register_function with a single argument is only applicable to Lua table '
      .. '(representing named arguments).')
  end
  local it = {}
  for name, value in pairs(arguments) do
    if not is_a('string', name) then
      fail('named argument key given to redis.register_function is not a string')
    end
    local rule = NAMED[name]
    if not rule then
      fail('unknown argument given to redis.register_function')
    elseif not is_a(rule[1], value) then
      fail(rule[2])
    end
    it[name] = value
  end
  if not it.function_name then
    fail('redis.register_function must get a function name argument')
  elseif not it.callback then
    fail('redis.register_function must get a callback argument')
  end
  return it
end

local function by_position(name, callback)
  if not is_a('string', name) then
    fail('first argument to redis.register_function must be a string')
  elseif type(callback) ~= 'function' then
    fail('second argument to redis.register_function must be a function')
  end
  return { function_name = name, callback = callback }
end

local function register_function(...)
  if not registered then
    fail('redis.register_function can only be called on FUNCTION LOAD command')
  end
  local count = select('#', ...)
  if count < 1 or count > 2 then
    fail('wrong number of arguments to redis.register_function')
  end
  local it = count == 1 and by_name(...) or by_position(...)
  it.function_name = tostring(it.function_name)
  it.flags = checked_flags(it.flags)
  if not it.function_name:find('^[%w_]+$') then
    fail('Library names can only contain letters, numbers, or underscores(_) and must be at least one character long')
  end
  for _, other in ipairs(registered) do
    if other.function_name == it.function_name then
      fail('Function already exists in the library')
    end
  end
  registered[#registered + 1] = it
end

local missing = {
  __index = function(_, name)
    error("Script attempted to access nonexistent global variable '" .. tostring(name) .. "'", 2)
  end,
}

local library = setmetatable({ register_function = guard(register_function) }, missing)
for _, name in ipairs({
  'LOG_DEBUG', 'LOG_VERBOSE', 'LOG_NOTICE', 'LOG_WARNING', 'log', 'REDIS_VERSION', 'REDIS_VERSION_NUM',
}) do
  library[name] = redis[name]
end
local loading = setmetatable({ redis = lock(library) }, missing)

-- The environment: an empty table in front of the real globals, so that every write is seen, and refused.

real._G, real.redis = globals, lock(redis)
setmetatable(real, missing)
local names = {}
for name in pairs(globals) do
  names[#names + 1] = name
end
for _, name in ipairs(names) do
  globals[name] = nil
end
local window = { __index = real, __newindex = refuse, __metatable = lock_of_locks }
setmetatable(globals, window)
locked[globals] = true

return {
  globals = real,
  run = function(f, keys, arguments)
    driver = driver or create(work)
    return progress(resume(driver, f, keys, arguments))
  end,
  resume = function()
    return progress(resume(driver))
  end,
  ['end'] = function(text)
    local thread = driver
    driver = nil
    return thread and with_place(text, thread)
  end,
  -- Shows a library that is loaded, from here on, what it is to find; or everybody what scripts find.
  show = function(is_loading)
    registered = is_loading and {} or nil
    window.__index = is_loading and loading or real
  end,
  load = function(f)
    local thread = create(f)
    local ok, problem = resume(thread)
    return ok, ok and registered or with_place(problem, thread)
  end,
}
