'use strict';
// EventEmitter.

const { coded, checkFunction } = internal('errors');

function EventEmitter(options) {
  EventEmitter.init.call(this, options);
}

EventEmitter.init = function init() {
  if (this._events === undefined || this._events === Object.getPrototypeOf(this)._events) {
    this._events = Object.create(null);
    this._eventsCount = 0;
  }
  this._maxListeners ??= undefined;
};

EventEmitter.prototype._events = undefined;
EventEmitter.prototype._eventsCount = 0;
EventEmitter.prototype._maxListeners = undefined;
EventEmitter.defaultMaxListeners = 10;

function listOf(emitter, name) {
  if (emitter._events === undefined) EventEmitter.init.call(emitter);
  return emitter._events[name];
}

function add(emitter, name, listener, first) {
  checkFunction(listener, 'listener');
  listOf(emitter, name);
  if (emitter._events.newListener !== undefined) emitter.emit('newListener', name, listener.listener ?? listener);
  const list = emitter._events[name];
  if (list === undefined) {
    emitter._events[name] = [listener];
    emitter._eventsCount++;
  } else if (first) {
    list.unshift(listener);
  } else {
    list.push(listener);
  }
  warn(emitter, name);
  return emitter;
}

function warn(emitter, name) {
  const list = emitter._events[name];
  const most = emitter.getMaxListeners();
  if (most > 0 && list.length > most && !list.warned) {
    list.warned = true;
    internal('process').process.emitWarning(
      `Possible EventEmitter memory leak detected. ${list.length} ${String(name)} listeners added. Use emitter.setMaxListeners() to increase limit`,
      'MaxListenersExceededWarning',
    );
  }
}

function once(emitter, name, listener) {
  checkFunction(listener, 'listener');
  const wrapped = function (...args) {
    emitter.removeListener(name, wrapped);
    return listener.apply(this, args);
  };
  wrapped.listener = listener;
  return wrapped;
}

const methods = {
  setMaxListeners(most) { this._maxListeners = most; return this; },
  getMaxListeners() { return this._maxListeners ?? EventEmitter.defaultMaxListeners; },
  emit(name, ...args) {
    const list = listOf(this, name);
    if (list === undefined || list.length === 0) {
      if (name !== 'error') return false;
      const error = args[0];
      if (error instanceof Error) throw error;
      const unhandled = coded(Error, 'ERR_UNHANDLED_ERROR', `Unhandled error. (${internal('inspect').inspect(error)})`);
      unhandled.context = error;
      throw unhandled;
    }
    for (const listener of [...list]) listener.apply(this, args);
    return true;
  },
  addListener(name, listener) { return add(this, name, listener, false); },
  on(name, listener) { return add(this, name, listener, false); },
  prependListener(name, listener) { return add(this, name, listener, true); },
  once(name, listener) { return add(this, name, once(this, name, listener), false); },
  prependOnceListener(name, listener) { return add(this, name, once(this, name, listener), true); },
  removeListener(name, listener) {
    const list = listOf(this, name);
    if (list === undefined) return this;
    for (let at = list.length - 1; at >= 0; at--) {
      if (list[at] !== listener && list[at].listener !== listener) continue;
      const [gone] = list.splice(at, 1);
      if (list.length === 0) {
        delete this._events[name];
        this._eventsCount--;
      }
      if (this._events.removeListener !== undefined) this.emit('removeListener', name, gone.listener ?? gone);
      break;
    }
    return this;
  },
  off(name, listener) { return this.removeListener(name, listener); },
  removeAllListeners(name) {
    listOf(this, name);
    if (name === undefined) {
      this._events = Object.create(null);
      this._eventsCount = 0;
    } else if (this._events[name] !== undefined) {
      delete this._events[name];
      this._eventsCount--;
    }
    return this;
  },
  listeners(name) { return (listOf(this, name) ?? []).map((listener) => listener.listener ?? listener); },
  rawListeners(name) { return [...(listOf(this, name) ?? [])]; },
  listenerCount(name) { return (listOf(this, name) ?? []).length; },
  eventNames() { listOf(this, ''); return Reflect.ownKeys(this._events); },
};
for (const [name, method] of Object.entries(methods)) EventEmitter.prototype[name] = method;

/** The arguments of the next such event. */
EventEmitter.once = function (emitter, name, options) {
  return new Promise((resolve, reject) => {
    if (typeof emitter.addEventListener === 'function') {
      emitter.addEventListener(name, (event) => resolve([event]), { once: true });
      return;
    }
    const failed = (error) => {
      emitter.removeListener(name, came);
      reject(error);
    };
    const came = (...args) => {
      emitter.removeListener('error', failed);
      resolve(args);
    };
    emitter.once(name, came);
    if (name !== 'error') emitter.once('error', failed);
    options?.signal?.addEventListener('abort', () => failed(options.signal.reason));
  });
};

/** All such events, one after another. */
EventEmitter.on = function (emitter, name) {
  const came = [], waiting = [];
  let failure;
  emitter.on(name, (...args) => {
    if (waiting.length > 0) waiting.shift().resolve({ value: args, done: false });
    else came.push(args);
  });
  emitter.on('error', (error) => {
    if (waiting.length > 0) waiting.shift().reject(error);
    else failure = error;
  });
  return {
    next() {
      if (came.length > 0) return Promise.resolve({ value: came.shift(), done: false });
      if (failure) return Promise.reject(failure);
      return new Promise((resolve, reject) => waiting.push({ resolve, reject }));
    },
    return() { return Promise.resolve({ value: undefined, done: true }); },
    [Symbol.asyncIterator]() { return this; },
  };
};

EventEmitter.EventEmitter = EventEmitter;
EventEmitter.listenerCount = (emitter, name) => emitter.listenerCount(name);
EventEmitter.getEventListeners = (emitter, name) => emitter.listeners(name);
EventEmitter.setMaxListeners = (most, ...emitters) => emitters.forEach((emitter) => emitter.setMaxListeners?.(most));
EventEmitter.errorMonitor = Symbol('events.errorMonitor');
EventEmitter.captureRejectionSymbol = Symbol.for('nodejs.rejection');

module.exports = EventEmitter;
