'use strict';
// Timers, and whatever else waits for a later turn.

const { checkFunction } = internal('errors');

/** Sorted by when, then by which came first. */
const timers = [];
let immediates = [];
/** What is finished already, and to be told in a turn of its own. */
let done = [];
/** What this phase still has to do. */
let current = [];
let phase = 0;
let serial = 0;

class Timeout {
  constructor(callback, after, args, repeat) {
    this._idleTimeout = after;
    this._onTimeout = callback;
    this._repeat = repeat ? after : null;
    this._destroyed = false;
    Object.defineProperty(this, 'state', { value: { args, at: 0, order: 0, id: ++serial, counts: true } });
  }
  ref() { this.state.counts = true; return this; }
  unref() { this.state.counts = false; return this; }
  hasRef() { return this.state.counts; }
  refresh() { remove(this); insert(this); return this; }
  close() { clearTimeout(this); return this; }
  [Symbol.toPrimitive]() { byId.set(this.state.id, this); return this.state.id; }
}
const byId = new Map();

class Immediate {
  constructor(callback, args) {
    Object.defineProperty(this, 'state', { value: { callback, args, cleared: false, counts: true } });
  }
  ref() { this.state.counts = true; return this; }
  unref() { this.state.counts = false; return this; }
  hasRef() { return this.state.counts; }
}

function milliseconds() {
  return Math.floor(host.elapsed() / 1e6);
}

function insert(timer) {
  timer.state.at = milliseconds() + timer._idleTimeout;
  timer.state.order = ++serial;
  let low = 0, high = timers.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (timers[middle].state.at <= timer.state.at) low = middle + 1;
    else high = middle;
  }
  timers.splice(low, 0, timer);
}

function remove(timer) {
  const at = timers.indexOf(timer);
  if (at >= 0) timers.splice(at, 1);
}

function delay(after) {
  after = Number(after);
  return after >= 1 && after <= 2147483647 ? Math.trunc(after) : 1;
}

function setTimeout(callback, after, ...args) {
  checkFunction(callback, 'callback');
  const timer = new Timeout(callback, delay(after), args, false);
  insert(timer);
  return timer;
}

function setInterval(callback, after, ...args) {
  checkFunction(callback, 'callback');
  const timer = new Timeout(callback, delay(after), args, true);
  insert(timer);
  return timer;
}

function setImmediate(callback, ...args) {
  checkFunction(callback, 'callback');
  const immediate = new Immediate(callback, args);
  immediates.push(immediate);
  return immediate;
}

function clearTimeout(timer) {
  if (typeof timer === 'number' || typeof timer === 'string') timer = byId.get(Number(timer));
  if (!(timer instanceof Timeout)) return;
  timer._destroyed = true;
  byId.delete(timer.state.id);
  remove(timer);
}

function clearImmediate(immediate) {
  if (immediate instanceof Immediate) immediate.state.cleared = true;
}

function queueMicrotask(callback) {
  checkFunction(callback, 'callback');
  Promise.resolve().then(() => {
    try {
      callback();
    } catch (error) {
      // Not a rejection: it is thrown where nobody can catch it.
      later(() => { throw error; });
    }
  });
}

/** Calls this in a turn of its own, as Node does when the system has done something. */
function later(callback) {
  done.push(callback);
}

function fire(timer) {
  if (timer._destroyed) return;
  if (timer._repeat === null) {
    timer._destroyed = true;
    byId.delete(timer.state.id);
  } else {
    insert(timer);
  }
  timer._onTimeout(...timer.state.args);
}

function due() {
  const now = milliseconds();
  const found = [];
  while (timers.length > 0 && timers[0].state.at <= now) {
    const timer = timers.shift();
    found.push(() => fire(timer));
  }
  return found;
}

/** What a phase has to do: timers that are due, what is done, immediates. */
function collect() {
  if (phase === 0) return due();
  if (phase === 1) {
    const found = done;
    done = [];
    return found;
  }
  const found = immediates;
  immediates = [];
  return found.map(({ state }) => () => {
    if (!state.cleared) state.callback(...state.args);
  });
}

/** Does one thing. How many milliseconds to wait before the next; less than none if nothing is left. */
function turn() {
  for (let tries = 0; tries < 4; tries++) {
    if (current.length > 0) {
      current.shift()();
      return 0;
    }
    current = collect();
    phase = (phase + 1) % 3;
  }
  if (current.length > 0 || done.length > 0 || immediates.length > 0) return 0;
  if (!timers.some((timer) => timer.state.counts)) return -1;
  phase = 0;
  return Math.max(0, timers[0].state.at - host.elapsed() / 1e6) || 0.01;
}

function pending() {
  return current.length > 0 || done.length > 0 || immediates.length > 0 || timers.some((timer) => timer.state.counts);
}

function promised(start) {
  return (after, value, options) => new Promise((resolve, reject) => {
    const signal = options?.signal;
    if (signal?.aborted) {
      reject(signal.reason);
      return;
    }
    const timer = start(after, () => resolve(value));
    signal?.addEventListener('abort', () => {
      clearTimeout(timer);
      reject(signal.reason);
    });
  });
}

const promises = {
  setTimeout: promised((after, callback) => setTimeout(callback, after)),
  setImmediate: (value) => new Promise((resolve) => setImmediate(resolve, value)),
  async* setInterval(after, value) {
    for (;;) yield await promises.setTimeout(after, value);
  },
};
promises.scheduler = { wait: (after) => promises.setTimeout(after) };
const promisified = Symbol.for('nodejs.util.promisify.custom');
Object.defineProperty(setTimeout, promisified, { value: promises.setTimeout });
Object.defineProperty(setImmediate, promisified, { value: promises.setImmediate });

module.exports = {
  setTimeout, setInterval, setImmediate, clearTimeout, clearInterval: clearTimeout, clearImmediate, queueMicrotask, promises,
  later, turn, pending,
};
