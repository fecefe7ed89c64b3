'use strict';
// `console`.

const { inspect, formatWith, width } = internal('inspect');

class Console {
  constructor(options, errors) {
    const streams = options?.write ? { stdout: options, stderr: errors ?? options } : options ?? {};
    const { stdout, stderr = stdout } = streams;
    const state = { indent: '', counts: new Map(), timers: new Map() };
    const write = (stream, number, text) => {
      if (state.indent !== '') text = state.indent + text.replaceAll('\n', `\n${state.indent}`);
      if (stream) stream.write(`${text}\n`);
      else internal('process').write(number, `${text}\n`);
    };
    state.out = (text) => write(stdout, 1, text);
    state.err = (text) => write(stderr, 2, text);
    Object.defineProperty(this, 'state', { value: state });
    for (const [name, method] of Object.entries(methods)) this[name] = method.bind(this);
  }
}

function label(name) {
  return name === undefined ? 'default' : String(name);
}

function duration(milliseconds) {
  if (milliseconds >= 3600000) return `${(milliseconds / 3600000).toFixed(3)}h`;
  if (milliseconds >= 60000) return `${(milliseconds / 60000).toFixed(3)}m`;
  if (milliseconds >= 1000) return `${(milliseconds / 1000).toFixed(3)}s`;
  return `${Number(milliseconds.toFixed(3))}ms`;
}

function timed(console, name, args) {
  const start = console.state.timers.get(name);
  if (start === undefined) {
    internal('process').process.emitWarning(`No such label '${name}' for console.time()`);
    return false;
  }
  const rest = args.map((arg) => ` ${typeof arg === 'string' ? arg : inspect(arg)}`).join('');
  console.state.out(`${name}: ${duration((host.elapsed() - start) / 1e6)}${rest}`);
  return true;
}

const methods = {
  log(...args) {
    // Most lines are one string, and spreading is slow.
    this.state.out(args.length === 1 && typeof args[0] === 'string' ? args[0] : formatWith(undefined, ...args));
  },
  error(...args) { this.state.err(formatWith(undefined, ...args)); },
  dir(value, options) { this.state.out(inspect(value, { customInspect: false, ...options })); },
  time(name) { this.state.timers.set(label(name), host.elapsed()); },
  timeLog(name, ...args) { timed(this, label(name), args); },
  timeEnd(name) { if (timed(this, label(name), [])) this.state.timers.delete(label(name)); },
  trace(...args) {
    const error = new Error(formatWith(undefined, ...args));
    error.name = 'Trace';
    this.state.err(error.stack);
  },
  assert(value, ...args) {
    if (value) return;
    if (typeof args[0] === 'string') args[0] = `Assertion failed: ${args[0]}`;
    else args.unshift('Assertion failed');
    this.error(...args);
  },
  clear() {},
  count(name) {
    const count = (this.state.counts.get(label(name)) ?? 0) + 1;
    this.state.counts.set(label(name), count);
    this.log(`${label(name)}: ${count}`);
  },
  countReset(name) { this.state.counts.delete(label(name)); },
  group(...args) {
    if (args.length > 0) this.log(...args);
    this.state.indent += '  ';
  },
  groupEnd() { this.state.indent = this.state.indent.slice(2); },
  table(data, columns) {
    if (data === null || typeof data !== 'object') this.log(data);
    else this.state.out(table(data, columns));
  },
};
methods.info = methods.debug = methods.log;
methods.warn = methods.error;
methods.dirxml = methods.log;
methods.groupCollapsed = methods.group;

function cell(value) {
  return inspect(value, { depth: typeof value === 'object' && value !== null && !Array.isArray(value) && Object.keys(value).length > 2 ? -1 : 0, maxArrayLength: 3, breakLength: Infinity });
}

/** Rows and columns of the properties of properties. */
function table(data, chosen) {
  const isMap = data instanceof Map, isSet = data instanceof Set;
  const rows = isMap || isSet ? [...data].map((item, at) => [at, item]) : Object.keys(data).map((key) => [key, data[key]]);
  const first = isMap || isSet ? '(iteration index)' : '(index)';
  const columns = [], cells = [];
  let values = false;
  for (const [key, row] of rows) {
    const line = new Map([[first, String(key)]]);
    if (isMap) {
      line.set('Key', cell(row[0]));
      line.set('Values', cell(row[1]));
      values = true;
    } else if (row === null || (typeof row !== 'object' && typeof row !== 'function')) {
      line.set('Values', cell(row));
      values = true;
    } else {
      for (const name of chosen ?? Object.keys(row)) {
        if (!columns.includes(name)) columns.push(name);
        if (Object.prototype.hasOwnProperty.call(row, name)) line.set(name, cell(row[name]));
      }
    }
    cells.push(line);
  }
  const names = [first, ...(isMap ? ['Key'] : []), ...columns, ...(values ? ['Values'] : [])];
  return drawn(names, cells.map((line) => names.map((name) => line.get(name) ?? '')));
}

function drawn(names, lines) {
  const widths = names.map((name, at) => Math.max(width(name), ...lines.map((line) => width(line[at]))) + 2);
  const left = (text, size) => ` ${text}${' '.repeat(size - width(text) - 1)}`;
  const rule = (start, cross, end) => start + widths.map((size) => '─'.repeat(size)).join(cross) + end;
  const row = (line) => `│${line.map((text, at) => left(text, widths[at])).join('│')}│`;
  return [rule('┌', '┬', '┐'), row(names), rule('├', '┼', '┤'), ...lines.map(row), rule('└', '┴', '┘')].join('\n');
}

const console = new Console();
console.Console = Console;
Object.defineProperty(console, Symbol.toStringTag, { value: 'console', configurable: true });
module.exports = { console, Console };
