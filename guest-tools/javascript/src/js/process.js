'use strict';
// `process`.

const EventEmitter = internal('events');
const { coded, system, invalidType } = internal('errors');

const process = Object.create(Object.create(EventEmitter.prototype, {
  constructor: { value: function process() {}, writable: true, configurable: true },
  [Symbol.toStringTag]: { value: 'process', configurable: true },
}));
EventEmitter.init.call(process);
for (const key of ['_events', '_eventsCount', '_maxListeners']) Object.defineProperty(process, key, { enumerable: false });

/** Whatever is put into the environment becomes text. */
function environment() {
  const words = host.environment();
  const env = {};
  for (let at = 0; at < words.length; at += 2) env[words[at]] = words[at + 1];
  return new Proxy(env, {
    set(target, key, value) {
      if (typeof key === 'symbol') throw new TypeError('Cannot convert a Symbol value to a string');
      target[key] = String(value);
      return true;
    },
    defineProperty(target, key, found) {
      return Reflect.defineProperty(target, key, 'value' in found ? { ...found, value: String(found.value) } : found);
    },
  });
}

const versions = { node: '20.20.2', v8: '11.3.244.8-node.33', uv: '1.46.0', modules: '115', boa: '0.22.0' };
Object.assign(process, {
  version: 'v20.20.2', versions, arch: 'x64', platform: 'linux', pid: 2, ppid: 1, title: 'node', execArgv: [], exitCode: undefined,
  release: { name: 'node', lts: 'Iron' }, features: { inspector: false }, config: { target_defaults: {}, variables: {} },
  argv: ['node'], argv0: 'node', execPath: '/usr/bin/node', debugPort: 9229, env: environment(),
});

process.cwd = () => host.cwd();
process.chdir = (path) => {
  if (typeof path !== 'string') throw invalidType('directory', 'of type string', path);
  try {
    host.chdir(path);
  } catch (error) {
    const failure = system(error.message, 'chdir', host.cwd(), path);
    failure.message = failure.message.replace(/, chdir .*/, `, chdir ${host.cwd()} -> '${path}'`);
    throw failure;
  }
};
const told = Number.parseInt(process.env.HANDBOX_UMASK, 8);
const givenMask = Number.isNaN(told) ? 0o022 : told & 0o777;
let mask = givenMask;
process.umask = (wanted) => {
  const before = mask;
  if (wanted !== undefined) mask = (typeof wanted === 'string' ? Number.parseInt(wanted, 8) : wanted) & 0o777;
  return before;
};
process.getuid = process.geteuid = process.getgid = process.getegid = () => 1000;
process.uptime = () => host.elapsed() / 1e9;
const broken = new Map();
let untold;

/** Writes to standard output or error. What fails is an error of that stream, in a tick. */
function write(number, data) {
  if (!broken.has(number)) failed(host.write(number, data));
}

/** Lets out what is kept back. */
function flush() {
  failed(host.flush());
}

function failed(problem) {
  if (problem === undefined) return;
  const [code, number] = problem.split(' ');
  const error = system(code, 'write');
  broken.set(Number(number), error);
  const stream = number === '1' ? process.stdout : process.stderr;
  // That nobody reads any more is no fault, and what is wrong with standard error cannot be said.
  if (stream.listenerCount('error') === 0 && (code === 'EPIPE' || number === '2')) return;
  untold = error;
  process.nextTick(() => {
    if (untold !== error) return;
    untold = undefined;
    stream.emit('error', error);
  });
}

/** The status at the very end: what could not be written is said now at the latest. */
function written(status) {
  flush();
  if (untold === undefined) return status;
  const error = untold;
  untold = undefined;
  if (process.stdout.listenerCount('error') > 0) process.stdout.emit('error', error);
  else write(2, `${internal('inspect').inspect(error)}\n`);
  flush();
  return status || 1;
}

process.hrtime = (before) => {
  const now = host.elapsed();
  let [seconds, rest] = [Math.floor(now / 1e9), Math.floor(now % 1e9)];
  if (before) {
    seconds -= before[0];
    rest -= before[1];
    if (rest < 0) { seconds--; rest += 1e9; }
  }
  return [seconds, rest];
};
process.hrtime.bigint = () => BigInt(Math.floor(host.elapsed()));
process.memoryUsage = () => ({ rss: 33554432, heapTotal: 16777216, heapUsed: 8388608, external: 1048576, arrayBuffers: 16384 });
process.memoryUsage.rss = () => 33554432;
process.cpuUsage = () => ({ user: Math.floor(host.elapsed() / 1e3), system: 0 });
process.resourceUsage = () => ({ userCPUTime: Math.floor(host.elapsed() / 1e3), systemCPUTime: 0, maxRSS: 32768 });
process.binding = () => { throw coded(Error, 'ERR_UNKNOWN_BUILTIN_MODULE', 'No such binding'); };
process.abort = () => host.exit(134);
process.kill = (pid, signal) => {
  if (pid === process.pid) {
    if (signal === 0) return true;
    const name = signal ?? 'SIGTERM';
    if (process.listenerCount(name) > 0) internal('timers').later(() => process.emit(name, name));
    else host.exit(name === 'SIGINT' ? 130 : name === 'SIGKILL' ? 137 : 143);
    return true;
  }
  throw system('EPERM', 'kill');
};
const warned = new Set();
process.emitWarning = (warning, type = 'Warning', code) => {
  if (typeof type === 'object' && type !== null) ({ type = 'Warning', code } = type);
  const name = warning instanceof Error ? warning.name : type;
  if (name === 'DeprecationWarning' && process.noDeprecation) return;
  if (code !== undefined) {
    if (warned.has(code)) return;
    warned.add(code);
  }
  const text = warning instanceof Error ? warning.message : warning;
  write(2, `(node:${process.pid}) ${code ? `[${code}] ` : ''}${name}: ${text}\n`);
};
process.setUncaughtExceptionCaptureCallback = (callback) => { process.on('uncaughtException', callback); };
process.getBuiltinModule = (name) => internal('loader').builtin(name);

const ticks = [];
process.nextTick = function nextTick(callback, ...args) {
  internal('errors').checkFunction(callback, 'callback');
  ticks.push(() => callback(...args));
};
/** Runs what was put off to the end of this turn. Whether there was something. */
function runTicks() {
  if (ticks.length === 0) return false;
  while (ticks.length > 0) ticks.shift()();
  return true;
}
Object.defineProperty(process, 'runTicks', { value: runTicks });
Object.defineProperty(process, 'ticking', { value: () => ticks.length > 0 });

function stream(name, make) {
  let value;
  Object.defineProperty(process, name, {
    configurable: true, enumerable: true, get: () => (value ??= make()), set: (other) => { value = other; },
  });
}
stream('stdout', () => internal('stream').standardOutput(1));
stream('stderr', () => internal('stream').standardOutput(2));
stream('stdin', () => internal('stream').standardInput());

function start(wanted) {
  process.argv0 = host.program();
  process.execArgv = wanted.execArgs;
  process.argv = [process.execPath, ...wanted.args];
}

module.exports = { process, start, write, flush, written, broken, givenMask };
