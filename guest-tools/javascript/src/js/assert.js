'use strict';
// `assert`, and what it means for two values to be equal.

const { inspect } = internal('inspect');

function ownKeys(value) {
  const symbols = Object.getOwnPropertySymbols(value).filter((key) => Object.prototype.propertyIsEnumerable.call(value, key));
  return [...Object.keys(value), ...symbols];
}

function isDeepEqual(a, b, strict, pairs = []) {
  if (strict ? Object.is(a, b) : a == b || (a !== a && b !== b)) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (strict && Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) return false;
  const kind = host.kindOf(a);
  if (kind !== host.kindOf(b)) return false;
  if (pairs.some(([x, y]) => x === a && y === b)) return true;
  pairs = [...pairs, [a, b]];
  const same = (x, y) => isDeepEqual(x, y, strict, pairs);
  if (kind === 'Date' && a.getTime() !== b.getTime() && !(Number.isNaN(a.getTime()) && Number.isNaN(b.getTime()))) return false;
  if (kind === 'RegExp' && (String(a) !== String(b) || a.lastIndex !== b.lastIndex)) return false;
  if (kind === 'Error' && (a.message !== b.message || a.name !== b.name)) return false;
  if ((kind === 'Array' || kind === 'TypedArray') && a.length !== b.length) return false;
  if (kind === 'ArrayBuffer' && !same(new Uint8Array(a), new Uint8Array(b))) return false;
  if (kind === '' && [Number, String, Boolean, BigInt, Symbol].some((type) => a instanceof type) && !(b.constructor === a.constructor && Object.is(a.valueOf(), b.valueOf()))) return false;
  if (kind === 'Set' && !sameSet(a, b, same)) return false;
  if (kind === 'Map' && !sameMap(a, b, same)) return false;
  const [left, right] = strict ? [ownKeys(a), ownKeys(b)] : [Object.keys(a), Object.keys(b)];
  if (left.length !== right.length) return false;
  return left.every((key) => Object.prototype.hasOwnProperty.call(b, key) && same(a[key], b[key]));
}

function sameSet(a, b, same) {
  if (a.size !== b.size) return false;
  const left = [...b];
  for (const item of a) {
    const at = left.findIndex((other) => same(item, other));
    if (at < 0) return false;
    left.splice(at, 1);
  }
  return true;
}

function sameMap(a, b, same) {
  if (a.size !== b.size) return false;
  const left = [...b];
  for (const [key, value] of a) {
    const at = left.findIndex(([otherKey, other]) => same(key, otherKey) && same(value, other));
    if (at < 0) return false;
    left.splice(at, 1);
  }
  return true;
}

/** Two values as short as this together are shown in one line. */
const SHORT_MAX = 12;

class AssertionError extends Error {
  constructor({ message, actual, expected, operator, stackStartFn }) {
    const compared = message !== undefined && (operator === 'strictEqual' || operator === 'deepStrictEqual');
    super(compared ? said(actual, expected, operator, message) : message !== undefined ? String(message) : said(actual, expected, operator));
    void stackStartFn;
    Object.defineProperty(this, 'name', { value: 'AssertionError', writable: true, configurable: true, enumerable: false });
    this.generatedMessage = message === undefined;
    this.code = 'ERR_ASSERTION';
    this.actual = actual;
    this.expected = expected;
    this.operator = operator;
  }
  toString() { return `${this.name} [${this.code}]: ${this.message}`; }
}

const titles = {
  strictEqual: 'Expected values to be strictly equal:', deepStrictEqual: 'Expected values to be strictly deep-equal:',
  deepEqual: 'Expected values to be loosely deep-equal:', equal: 'Expected values to be loosely equal:',
  notStrictEqual: 'Expected "actual" to be strictly unequal to:', notDeepStrictEqual: 'Expected "actual" not to be strictly deep-equal to:',
};
const shown = (value) => inspect(value, { compact: false, sorted: true, depth: 1000, maxArrayLength: Infinity, breakLength: Infinity, customInspect: false });

function said(actual, expected, operator, title = titles[operator] ?? operator) {
  if (operator === 'deepEqual') return `${titles.deepEqual}\n\n${shown(actual)}\n\nshould loosely deep-equal\n\n${shown(expected)}`;
  if (operator === '==' || operator === '!=') return `${shown(actual)} ${operator} ${shown(expected)}`;
  if (operator?.startsWith('not')) return `${titles[operator]}${shown(expected).includes('\n') ? '\n\n' : ' '}${shown(expected)}${shown(expected).includes('\n') ? '\n' : ''}`;
  const [left, right] = [shown(actual).split('\n'), shown(expected).split('\n')];
  const primitives = (typeof actual !== 'object' || actual === null) && (typeof expected !== 'object' || expected === null) && typeof actual !== 'function';
  if (left.length === 1 && right.length === 1 && primitives && left[0] !== right[0] && left[0].length + right[0].length <= SHORT_MAX) {
    return `${title}\n\n${left[0]} !== ${right[0]}\n`;
  }
  if (left.join('\n') === right.join('\n')) {
    const same = { strictEqual: 'Values have same structure but are not reference-equal:', deepStrictEqual: 'Values have same structure but are not reference-equal:' };
    return `${same[operator] ?? title}\n\n${left.join('\n')}\n`;
  }
  return `${title}\n+ actual - expected\n\n${difference(left, right)}`;
}

/** Lines of both, those of one only with a mark before them. */
function difference(left, right) {
  // Whether something follows is no difference of a line itself.
  const same = (one, other) => one.replace(/,$/, '') === other.replace(/,$/, '');
  const longest = Array.from({ length: left.length + 1 }, () => new Array(right.length + 1).fill(0));
  for (let a = left.length - 1; a >= 0; a--) {
    for (let b = right.length - 1; b >= 0; b--) {
      longest[a][b] = same(left[a], right[b]) ? longest[a + 1][b + 1] + 1 : Math.max(longest[a + 1][b], longest[a][b + 1]);
    }
  }
  const lines = [];
  let a = 0, b = 0;
  while (a < left.length || b < right.length) {
    if (a < left.length && b < right.length && same(left[a], right[b])) {
      lines.push(`  ${left[a]}`);
      a++;
      b++;
    } else if (a < left.length && (b >= right.length || longest[a + 1][b] >= longest[a][b + 1])) {
      lines.push(`+ ${left[a++]}`);
    } else {
      lines.push(`- ${right[b++]}`);
    }
  }
  return lines.join('\n');
}

function fail(actual, expected, message, operator) {
  if (message instanceof Error) throw message;
  throw new AssertionError({ actual, expected, message, operator });
}

function ok(...args) {
  const [value, message] = args;
  if (value) return;
  if (message instanceof Error) throw message;
  const error = new AssertionError({
    actual: value, expected: true, operator: '==',
    message: message ?? (args.length === 0 ? 'No value argument passed to `assert.ok()`' : `The expression evaluated to a falsy value:\n\n  assert(${inspect(value)})\n`),
  });
  error.generatedMessage = message === undefined;
  throw error;
}

function assert(...args) { ok(...args); }

/** Whether an error is the one that was expected; fails or says no otherwise. */
function expectedError(error, expected, message, operator) {
  if (expected === undefined) return;
  if (typeof expected === 'function') {
    if (expected.prototype !== undefined && error instanceof expected) return;
    if (Error.isPrototypeOf(expected) || expected === Error) {
      if (message === undefined) throw error;
      fail(error, expected, message, operator);
    }
    if (expected.call({}, error) === true) return;
    fail(error, expected, message ?? `The ${expected.name ? `"${expected.name}" ` : ''}validation function is expected to return "true". Received ${inspect(false)}\n\nCaught error:\n\n${error}`, operator);
  }
  if (host.kindOf(expected) === 'RegExp') {
    if (expected.test(String(error))) return;
    fail(error, expected, message ?? `The input did not match the regular expression ${inspect(expected)}. Input:\n\n${inspect(String(error))}\n`, operator);
  }
  const keys = Object.keys(expected);
  if (expected instanceof Error) keys.push('name', 'message');
  for (const key of keys) {
    const good = host.kindOf(expected[key]) === 'RegExp' && typeof error[key] === 'string' ? expected[key].test(error[key]) : isDeepEqual(error[key], expected[key], true);
    if (!good) {
      const pick = (value) => Object.fromEntries(keys.map((name) => [name, value[name]]));
      if (message instanceof Error) throw message;
      throw new AssertionError({ actual: pick(error), expected: pick(expected), message, operator: 'deepStrictEqual' });
    }
  }
}

function missing(operator, expected, message) {
  const what = operator === 'rejects' ? 'rejection' : 'exception';
  const name = typeof expected === 'function' && expected.name ? ` (${expected.name})` : '';
  const text = typeof expected === 'string' ? `: ${expected}` : message ? `: ${message}` : '.';
  fail(undefined, expected, `Missing expected ${what}${name}${text}`, operator);
}

Object.assign(assert, {
  AssertionError, ok,
  fail(message) {
    if (message instanceof Error) throw message;
    const error = new AssertionError({ message: message ?? 'Failed', operator: 'fail' });
    error.generatedMessage = message === undefined;
    throw error;
  },
  equal(a, b, message) { if (!(a == b || (a !== a && b !== b))) fail(a, b, message, '=='); },
  notEqual(a, b, message) { if (a == b || (a !== a && b !== b)) fail(a, b, message, '!='); },
  strictEqual(a, b, message) { if (!Object.is(a, b)) fail(a, b, message, 'strictEqual'); },
  notStrictEqual(a, b, message) { if (Object.is(a, b)) fail(a, b, message, 'notStrictEqual'); },
  deepEqual(a, b, message) { if (!isDeepEqual(a, b, false)) fail(a, b, message, 'deepEqual'); },
  deepStrictEqual(a, b, message) { if (!isDeepEqual(a, b, true)) fail(a, b, message, 'deepStrictEqual'); },
  notDeepEqual(a, b, message) { if (isDeepEqual(a, b, false)) fail(a, b, message, 'notDeepEqual'); },
  notDeepStrictEqual(a, b, message) { if (isDeepEqual(a, b, true)) fail(a, b, message, 'notDeepStrictEqual'); },
  match(text, pattern, message) {
    if (typeof text !== 'string' || !pattern.test(text)) fail(text, pattern, message ?? `The input did not match the regular expression ${inspect(pattern)}. Input:\n\n${inspect(text)}\n`, 'match');
  },
  doesNotMatch(text, pattern, message) {
    if (pattern.test(text)) fail(text, pattern, message ?? `The input was expected to not match the regular expression ${inspect(pattern)}. Input:\n\n${inspect(text)}\n`, 'doesNotMatch');
  },
  throws(act, expected, message) {
    if (typeof act !== 'function') throw internal('errors').invalidType('fn', 'of type function', act);
    try {
      act();
    } catch (error) {
      if (typeof expected !== 'string') expectedError(error, expected, message, 'throws');
      return;
    }
    missing('throws', expected, message);
  },
  doesNotThrow(act, expected, message) {
    try {
      act();
    } catch (error) {
      const text = typeof expected === 'string' ? expected : message;
      fail(error, expected, `Got unwanted exception${text ? `: ${text}` : '.'}\nActual message: "${error?.message}"`, 'doesNotThrow');
    }
  },
  async rejects(promise, expected, message) {
    try {
      await (typeof promise === 'function' ? promise() : promise);
    } catch (error) {
      if (typeof expected !== 'string') expectedError(error, expected, message, 'rejects');
      return;
    }
    missing('rejects', expected, message);
  },
  async doesNotReject(promise, expected, message) {
    try {
      await (typeof promise === 'function' ? promise() : promise);
    } catch (error) {
      fail(error, expected, `Got unwanted rejection.\nActual message: "${error?.message}"`, 'doesNotReject');
    }
    void message;
  },
  ifError(value) {
    if (value !== null && value !== undefined) fail(value, null, `ifError got unwanted exception: ${value?.message ?? inspect(value)}`, 'ifError');
  },
});
assert.strict = Object.assign((...args) => ok(...args), assert, {
  equal: assert.strictEqual, notEqual: assert.notStrictEqual, deepEqual: assert.deepStrictEqual, notDeepEqual: assert.notDeepStrictEqual,
});
assert.strict.strict = assert.strict;
Object.defineProperty(assert, 'isDeepEqual', { value: isDeepEqual });
module.exports = assert;
