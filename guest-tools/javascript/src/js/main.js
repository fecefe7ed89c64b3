'use strict';
// Called once with the host's functions: makes the globals, and answers with what the program calls.

const loaded = new Map();
/** One of our own texts, by name. */
function internal(name) {
  if (loaded.has(name)) return loaded.get(name).exports;
  const module = { exports: {} };
  loaded.set(name, module);
  host.compileInternal(name)(host, internal, module, module.exports);
  return module.exports;
}

/**
 * A global that is made when it is first asked for. It stays an accessor: the engine remembers where it found a property,
 * and does not notice a getter that replaces itself.
 */
function lazily(object, name, make, enumerable = false) {
  let made = false, value;
  Object.defineProperty(object, name, {
    configurable: true, enumerable,
    get() {
      if (!made) [made, value] = [true, make()];
      return value;
    },
    set(other) { [made, value] = [true, other]; },
  });
}

function constant(object, name, value, enumerable = false) {
  Object.defineProperty(object, name, { value, writable: true, configurable: true, enumerable });
}

host.elapsed();
internal('errors');
internal('strings');
const timers = internal('timers');
const { process, start: startProcess, write, flush, written } = internal('process');
const { inspect } = internal('inspect');

constant(globalThis, 'global', globalThis, true);
Object.defineProperty(globalThis, Symbol.toStringTag, { value: 'global', configurable: true });
constant(globalThis, 'process', process);
for (const name of ['setTimeout', 'setInterval', 'setImmediate', 'clearTimeout', 'clearInterval', 'clearImmediate']) {
  constant(globalThis, name, timers[name], true);
}
constant(globalThis, 'queueMicrotask', timers.queueMicrotask, true);
constant(globalThis, 'console', internal('console').console);
lazily(globalThis, 'Buffer', () => internal('buffer').Buffer);
for (const name of ['atob', 'btoa']) lazily(globalThis, name, () => internal('buffer')[name], true);
for (const name of ['URL', 'URLSearchParams']) lazily(globalThis, name, () => internal('url')[name]);
for (const name of ['TextEncoder', 'TextDecoder', 'AbortController', 'AbortSignal', 'Event', 'EventTarget', 'DOMException', 'Blob']) {
  lazily(globalThis, name, () => internal('web')[name]);
}
for (const name of ['structuredClone', 'performance', 'fetch', 'navigator']) lazily(globalThis, name, () => internal('web')[name], true);
lazily(globalThis, 'crypto', () => internal('crypto').webcrypto, true);
internal('intl');

let code;
let ended = false;

/** Tells listeners of the end, once; the status. */
function exiting(status) {
  if (!ended) {
    ended = true;
    if (status !== undefined) process.exitCode = status;
    process.emit('exit', Number(process.exitCode ?? 0));
  }
  return written(Number(process.exitCode ?? 0));
}

process.reallyExit = (status) => host.exit(Number(status ?? 0));
process.exit = function exit(status) {
  if (status !== undefined) process.exitCode = status;
  host.exit(exiting());
};

/** The line that an error is about, as Node shows it before the error. */
function excerpt(error) {
  let path, line, column;
  if (error.name === 'SyntaxError' && error.sourcePath) {
    path = error.sourcePath;
    const at = /at line (\d+), col(?:umn)? (\d+)/.exec(error.message);
    if (at) [line, column] = [Number(at[1]), Number(at[2])];
  } else {
    const first = /\n {4}at (?:.* \()?(.*?):(\d+):(\d+)\)?(?:\n|$)/.exec(error.stack ?? '');
    if (first) [path, line, column] = [first[1], Number(first[2]), Number(first[3])];
  }
  if (!path || !line) return path ? `${path}\n\n` : '';
  let text;
  try {
    text = path.startsWith('[') ? code : host.decode(host.readFile(path), 'utf8');
  } catch {
    // The file may be gone by now.
  }
  const shown = text?.split('\n')[line - 1];
  if (shown === undefined || shown.length > 500) return `${path}:${line}\n\n`;
  return `${path}:${line}\n${shown}\n${' '.repeat(Math.max(0, column - 1))}^\n\n`;
}

function describe(error, promise) {
  if (typeof error === 'object' && error !== null && host.kindOf(error) === 'Error') {
    return `${excerpt(error)}${inspect(error)}`;
  }
  if (promise) {
    const shown = inspect(error);
    return `node:internal/process/promises\n\n[UnhandledPromiseRejection: This error originated either by throwing inside of an async function without a catch block, or by rejecting a promise which was not handled with .catch(). The promise rejected with the reason "${typeof error === 'string' ? error : shown}".] {\n  code: 'ERR_UNHANDLED_REJECTION'\n}`;
  }
  return `Uncaught:\n${inspect(error)}\n(Use \`node --trace-uncaught ...\` to show where the exception was thrown)`;
}

function fatal(error, promise) {
  write(2, `${describe(error, promise)}\n\nNode.js ${process.version}\n`);
  return exiting(1);
}

function uncaught(error, origin = 'uncaughtException') {
  if (process.listenerCount('uncaughtException') === 0) return false;
  process.emit('uncaughtException', error, origin);
  return true;
}

function rejected(promise) {
  const reason = host.promiseState(promise)[1];
  if (process.listenerCount('unhandledRejection') > 0) {
    process.emit('unhandledRejection', reason, promise);
    return;
  }
  if (!uncaught(reason, 'unhandledRejection')) host.exit(fatal(reason, true));
}

function start(wanted) {
  code = wanted.script;
  startProcess(wanted);
  internal('loader').start(wanted, (text) => { code = text; });
}

/** A turn; when nothing is left, listeners may still begin something. */
function turn() {
  flush();
  if (process.ticking()) return 0;
  const wait = timers.turn();
  if (wait >= 0) return wait;
  process.emit('beforeExit', Number(process.exitCode ?? 0));
  return timers.pending() || process.ticking() ? 0 : -1;
}

return {
  start, turn, uncaught, rejected, fatal,
  ticks: process.runTicks,
  finish: () => {
    if (process.exitCode === undefined && internal('loader').unsettled()) {
      write(2, 'Warning: Detected unsettled top-level await\n');
      return exiting(13);
    }
    return exiting();
  },
  resolveImport: (specifier, referrer) => internal('loader').resolveImport(specifier, referrer),
  importMeta: (meta, path) => internal('loader').importMeta(meta, path),
};
