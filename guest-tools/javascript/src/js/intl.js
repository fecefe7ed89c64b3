'use strict';
// What scripts ask of languages, in American English and UTC: the engine is built without the tables of languages.

const days = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
const months = ['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October', 'November', 'December'];
const signs = { USD: '$', EUR: '€', GBP: '£', JPY: '¥', CNY: 'CN¥', INR: '₹', KRW: '₩', CAD: 'CA$', AUD: 'A$', CHF: 'CHF\u00a0', BRL: 'R$', MXN: 'MX$' };

function grouped(digits) {
  return digits.replace(/\B(?=(\d{3})+(?!\d))/g, ',');
}

/** The decimal digits of a number with as many places as wanted, halves away from zero. */
function rounded(value, least, most) {
  let text = value.toFixed(Math.min(most, 100));
  // What is written as a half is one, whatever bits it is kept as.
  const exact = /^(\d+)\.(\d*)$/.exec(String(value));
  if (exact && exact[2].length > most && exact[2][most] >= '5' && Number(`0.${exact[2].slice(most)}`) >= 0.5 && /^50*$/.test(exact[2].slice(most))) {
    text = (Number(`${exact[1]}.${exact[2].slice(0, most)}`) + 10 ** -most).toFixed(most);
  }
  if (!text.includes('.')) return text;
  let [whole, part] = text.split('.');
  while (part.length > least && part.endsWith('0')) part = part.slice(0, -1);
  return part === '' ? whole : `${whole}.${part}`;
}

class NumberFormat {
  constructor(locale, options = {}) {
    const digits = options.style === 'currency' ? (['JPY', 'KRW'].includes(options.currency) ? 0 : 2) : 0;
    const compact = options.notation === 'compact';
    const least = options.minimumFractionDigits ?? (options.maximumFractionDigits !== undefined ? Math.min(digits, options.maximumFractionDigits) : digits);
    const most = options.maximumFractionDigits ?? Math.max(least, options.style === 'currency' ? digits : options.style === 'percent' || compact ? 0 : 3);
    Object.defineProperty(this, 'options', { value: { ...options, least, most, compact } });
    for (const [name, value] of [['minimumFractionDigits', least], ['maximumFractionDigits', most]]) {
      if (!(value >= 0 && value <= 100)) throw new RangeError(`${name} value is out of range.`);
    }
    this.format = (value) => this.text(value);
  }
  text(value) {
    const { style, currency, currencyDisplay, least, most, compact, useGrouping, minimumIntegerDigits, signDisplay, unit, unitDisplay } = this.options;
    if (typeof value === 'bigint') return grouped(String(value));
    value = Number(value);
    if (Number.isNaN(value)) return 'NaN';
    const negative = value < 0 || Object.is(value, -0);
    let size = Math.abs(value) * (style === 'percent' ? 100 : 1);
    let suffix = '';
    let [low, high] = [least, most];
    if (compact) {
      const steps = [[1e12, 'T'], [1e9, 'B'], [1e6, 'M'], [1e3, 'K']];
      const step = steps.find(([from]) => size >= from);
      if (step) [size, suffix] = [size / step[0], step[1]];
      if (this.options.maximumFractionDigits === undefined) [low, high] = [0, size < 100 && String(Math.trunc(size)).length < 2 ? 1 : 0];
    }
    let text = size === Infinity ? '∞' : this.digits(size, low, high);
    let [whole, part] = text.split('.');
    if (minimumIntegerDigits) whole = whole.padStart(minimumIntegerDigits, '0');
    if (useGrouping !== false && size !== Infinity) whole = grouped(whole);
    text = (part === undefined ? whole : `${whole}.${part}`) + suffix;
    if (style === 'percent') text += '%';
    if (style === 'currency') {
      if (currencyDisplay === 'code') text = `${currency}\u00a0${text}`;
      else if (currencyDisplay === 'name') text = `${text} ${{ USD: 'US dollars', EUR: 'euros', GBP: 'British pounds' }[currency] ?? currency}`;
      else text = (signs[currency] ?? `${currency}\u00a0`) + text;
    }
    if (style === 'unit') text = withUnit(text, unit, unitDisplay, size);
    const plus = signDisplay === 'always' || (signDisplay === 'exceptZero' && size !== 0);
    return negative && signDisplay !== 'never' ? `-${text}` : plus ? `+${text}` : text;
  }
  digits(size, least, most) {
    const { maximumSignificantDigits, minimumSignificantDigits } = this.options;
    if (maximumSignificantDigits === undefined && minimumSignificantDigits === undefined) return rounded(size, least, most);
    const text = Number(size.toPrecision(maximumSignificantDigits ?? 21));
    const places = minimumSignificantDigits ? Math.max(0, minimumSignificantDigits - String(Math.trunc(text)).length) : 0;
    return rounded(text, places, Math.max(places, 20));
  }
  formatToParts(value) { return [{ type: 'literal', value: this.format(value) }]; }
  resolvedOptions() { return { locale: 'en-US', numberingSystem: 'latn', style: 'decimal', ...this.options }; }
  static supportedLocalesOf(locales) { return [].concat(locales ?? []); }
}

const units = { kilometer: 'km', meter: 'm', mile: 'mi', kilogram: 'kg', gram: 'g', celsius: '°C', byte: 'byte', kilobyte: 'kB', megabyte: 'MB', gigabyte: 'GB', second: 'sec', minute: 'min', hour: 'hr', liter: 'L', percent: '%' };

function withUnit(text, unit, display, size) {
  if (display === 'long') return `${text} ${unit}${size === 1 ? '' : 's'}`;
  const short = units[unit] ?? unit;
  return display === 'narrow' || short.startsWith('°') || short === '%' ? `${text}${short}` : `${text} ${short}`;
}

const defaults = {
  date: { year: 'numeric', month: 'numeric', day: 'numeric' },
  time: { hour: 'numeric', minute: '2-digit', second: '2-digit' },
};
const styles = {
  date: {
    full: { weekday: 'long', year: 'numeric', month: 'long', day: 'numeric' }, long: { year: 'numeric', month: 'long', day: 'numeric' },
    medium: { year: 'numeric', month: 'short', day: 'numeric' }, short: { year: '2-digit', month: 'numeric', day: 'numeric' },
  },
  time: {
    full: { hour: 'numeric', minute: '2-digit', second: '2-digit', timeZoneName: 'long' },
    long: { hour: 'numeric', minute: '2-digit', second: '2-digit', timeZoneName: 'short' },
    medium: { hour: 'numeric', minute: '2-digit', second: '2-digit' }, short: { hour: 'numeric', minute: '2-digit' },
  },
};
const dateParts = ['weekday', 'year', 'month', 'day', 'era'];
const timeParts = ['hour', 'minute', 'second', 'fractionalSecondDigits', 'dayPeriod'];

class DateTimeFormat {
  constructor(locale, options = {}, need = 'any', fallback = 'date') {
    const zone = options.timeZone;
    if (zone !== undefined && !/^(utc|gmt|etc\/(utc|gmt)|[+-]00:?00)$/i.test(zone)) {
      throw new RangeError(`Invalid time zone specified: ${zone} (this interpreter knows only UTC)`);
    }
    const fields = { ...options };
    if (options.dateStyle || options.timeStyle) {
      Object.assign(fields, styles.date[options.dateStyle], styles.time[options.timeStyle]);
    } else {
      const has = (names) => names.some((name) => options[name] !== undefined);
      const missing = need === 'date' ? !has(dateParts) : need === 'time' ? !has(timeParts) : !has(dateParts) && !has(timeParts);
      if (missing && fallback !== 'time') Object.assign(fields, defaults.date);
      if (missing && fallback !== 'date') Object.assign(fields, defaults.time);
    }
    fields.locale = String([].concat(locale ?? 'en-US')[0] ?? 'en-US');
    Object.defineProperty(this, 'fields', { value: fields });
    this.format = (date) => this.text(date === undefined ? new Date() : new Date(date));
  }
  text(date) {
    if (Number.isNaN(date.getTime())) throw new RangeError('Invalid time value');
    const [day, time] = [dayText(date, this.fields), timeText(date, this.fields)];
    if (day === '' || time === '') return day + time;
    const words = ['full', 'long'].includes(this.fields.dateStyle);
    return `${day}${words ? ' at ' : ', '}${time}`;
  }
  formatToParts(date) {
    const at = date === undefined ? new Date() : new Date(date);
    const names = { year: 'getUTCFullYear', day: 'getUTCDate', hour: 'getUTCHours', minute: 'getUTCMinutes', second: 'getUTCSeconds' };
    const found = [];
    for (const type of ['weekday', 'month', 'day', 'year', 'hour', 'minute', 'second']) {
      if (this.fields[type] === undefined) continue;
      const value = type === 'weekday' ? named(days, at.getUTCDay(), this.fields.weekday)
        : type === 'month' ? monthText(at, this.fields) : padded(at[names[type]](), this.fields[type]);
      if (found.length > 0) found.push({ type: 'literal', value: '/' });
      found.push({ type, value });
    }
    return found;
  }
  resolvedOptions() { return { locale: 'en-US', calendar: 'gregory', numberingSystem: 'latn', timeZone: 'UTC' }; }
  formatRange(from, to) { return `${this.format(from)} – ${this.format(to)}`; }
  static supportedLocalesOf(locales) { return [].concat(locales ?? []); }
}

const padded = (number, style) => (style === '2-digit' ? String(number % 100).padStart(2, '0') : String(number));
const named = (names, at, style) => (style === 'long' ? names[at] : style === 'narrow' ? names[at][0] : names[at].slice(0, 3));

function monthText(date, { month }) {
  return month === 'long' || month === 'short' || month === 'narrow' ? named(months, date.getUTCMonth(), month) : padded(date.getUTCMonth() + 1, month);
}

function dayText(date, fields) {
  const { weekday, year, month, day, locale } = fields;
  const [y, m, d] = [year && padded(date.getUTCFullYear(), year), month && monthText(date, fields), day && padded(date.getUTCDate(), day)];
  const w = weekday && named(days, date.getUTCDay(), weekday);
  let text;
  if (['long', 'short', 'narrow'].includes(month)) {
    const first = locale === 'en-GB' ? [d, m].filter(Boolean).join(' ') : [m, d].filter(Boolean).join(' ');
    text = [first, y].filter(Boolean).join(locale === 'en-GB' || !day ? ' ' : ', ');
  } else if (locale === 'en-CA' || locale === 'sv-SE') {
    text = [y, m && m.padStart(2, '0'), d && d.padStart(2, '0')].filter(Boolean).join('-');
  } else if (locale === 'en-GB' || locale === 'fr-FR') {
    text = [d && d.padStart(2, '0'), m && m.padStart(2, '0'), y].filter(Boolean).join('/');
  } else if (locale.startsWith('de')) {
    text = [d, m, y].filter(Boolean).join('.');
  } else {
    text = [m, d, y].filter(Boolean).join('/');
  }
  return [w, text].filter(Boolean).join(', ');
}

function timeText(date, fields) {
  const { hour, minute, second, hour12, hourCycle, timeZoneName, fractionalSecondDigits, locale } = fields;
  const half = hour12 ?? (hourCycle ? hourCycle === 'h12' || hourCycle === 'h11' : locale.startsWith('en-US') || locale === 'en' || locale === 'en-CA');
  const hours = date.getUTCHours();
  const parts = [];
  if (hour) {
    const shown = half ? hours % 12 || 12 : hours;
    parts.push(padded(shown, half && hour !== '2-digit' ? hour : '2-digit'));
  }
  if (minute) parts.push(padded(date.getUTCMinutes(), hour || second ? '2-digit' : minute));
  if (second) {
    let text = padded(date.getUTCSeconds(), minute ? '2-digit' : second);
    if (fractionalSecondDigits) text += `.${String(date.getUTCMilliseconds()).padStart(3, '0').slice(0, fractionalSecondDigits)}`;
    parts.push(text);
  }
  let text = parts.join(':');
  if (hour && half) text += `${locale === 'en-CA' ? (hours < 12 ? ' a.m.' : ' p.m.') : hours < 12 ? ' AM' : ' PM'}`;
  if (timeZoneName) text += `${text ? ' ' : ''}${timeZoneName === 'long' ? 'Coordinated Universal Time' : 'UTC'}`;
  return text;
}

/** Letters without their marks, and in which class they sort: blanks, signs, digits, letters. */
function sortKey(letter) {
  const base = letter.normalize('NFD').replace(/[\u0300-\u036f]/g, '') || letter;
  const low = base.toLowerCase();
  if (/\s/.test(letter)) return [0, low];
  if (/\p{N}/u.test(letter)) return [3, low];
  if (/\p{L}/u.test(letter)) return [4, low];
  const order = "_-,;:!?.'\"()[]{}@*/\\&#%`^+<=>|~$";
  const at = order.indexOf(letter);
  return [at >= 0 ? 1 : 2, at >= 0 ? String.fromCharCode(at) : low];
}

function compareText(a, b, { numeric = false, sensitivity = 'variant' } = {}) {
  if (a === b) return 0;
  const split = (text) => (numeric ? text.match(/\d+|[^\d]/gu) ?? [] : [...text]);
  const [left, right] = [split(a), split(b)];
  for (let at = 0; at < left.length && at < right.length; at++) {
    if (left[at] === right[at]) continue;
    if (numeric && /^\d/.test(left[at]) && /^\d/.test(right[at])) {
      const difference = Number(left[at]) - Number(right[at]);
      if (difference !== 0) return Math.sign(difference);
      continue;
    }
    const [[kind, low], [otherKind, otherLow]] = [sortKey(left[at]), sortKey(right[at])];
    if (kind !== otherKind) return kind < otherKind ? -1 : 1;
    if (low !== otherLow) return low < otherLow ? -1 : 1;
  }
  if (left.length !== right.length) return left.length < right.length ? -1 : 1;
  if (sensitivity === 'base') return 0;
  const plain = (text) => text.normalize('NFD').toLowerCase();
  if (plain(a) !== plain(b) && sensitivity !== 'case') return plain(a) < plain(b) ? -1 : 1;
  if (sensitivity === 'accent') return 0;
  for (let at = 0; at < a.length; at++) {
    if (a[at] !== b[at]) return a[at] === a[at].toLowerCase() ? -1 : 1;
  }
  return 0;
}

class Collator {
  constructor(locale, options = {}) {
    const numeric = options.numeric ?? /-u-.*kn/.test(String(locale ?? ''));
    this.compare = (a, b) => compareText(String(a), String(b), { ...options, numeric });
  }
  resolvedOptions() { return { locale: 'en-US', usage: 'sort', sensitivity: 'variant' }; }
  static supportedLocalesOf(locales) { return [].concat(locales ?? []); }
}

class PluralRules {
  #ordinal;
  constructor(locale, options = {}) { this.#ordinal = options.type === 'ordinal'; }
  select(number) {
    if (!this.#ordinal) return number === 1 ? 'one' : 'other';
    const [ten, hundred] = [number % 10, number % 100];
    if (ten === 1 && hundred !== 11) return 'one';
    if (ten === 2 && hundred !== 12) return 'two';
    return ten === 3 && hundred !== 13 ? 'few' : 'other';
  }
}

class ListFormat {
  #word;
  constructor(locale, options = {}) { this.#word = options.type === 'disjunction' ? 'or' : 'and'; }
  format(items) {
    const all = [...items];
    if (all.length < 2) return all.join('');
    if (all.length === 2) return all.join(` ${this.#word} `);
    return `${all.slice(0, -1).join(', ')}, ${this.#word} ${all[all.length - 1]}`;
  }
}

class RelativeTimeFormat {
  #auto;
  constructor(locale, options = {}) { this.#auto = options.numeric === 'auto'; }
  format(value, unit) {
    const one = unit.replace(/s$/, '');
    const words = { day: ['yesterday', 'today', 'tomorrow'] }[one] ?? [`last ${one}`, one === 'second' ? 'now' : `this ${one}`, `next ${one}`];
    if (this.#auto && Math.abs(value) <= 1 && !(one === 'second' && value !== 0)) return words[value + 1];
    const size = new NumberFormat().format(Math.abs(value));
    const shown = `${size} ${one}${Math.abs(value) === 1 ? '' : 's'}`;
    return value < 0 || Object.is(value, -0) ? `${shown} ago` : `in ${shown}`;
  }
}

/** Letters as people count them, near enough: a base with its marks and joiners. */
class Segmenter {
  #by;
  constructor(locale, options = {}) { this.#by = options.granularity ?? 'grapheme'; }
  segment(text) {
    const pattern = this.#by === 'word' ? /[\p{L}\p{N}_']+|[^\p{L}\p{N}_']/gu
      : /\p{RI}\p{RI}|\p{Emoji}(?:\p{EMod}|\uFE0F\u20E3?)?(?:\u200D\p{Emoji}(?:\p{EMod}|\uFE0F)?)*\p{M}*|\r\n|[^]\p{M}*/gu;
    return [...text.matchAll(pattern)].map((found) => ({ segment: found[0], index: found.index, input: text, isWordLike: /[\p{L}\p{N}]/u.test(found[0]) }));
  }
}

class DisplayNames {
  of(code) { return code; }
}

const callable = (type) => new Proxy(type, { apply: (target, self, args) => new type(...args) });
Object.defineProperty(globalThis, 'Intl', {
  value: {
    NumberFormat: callable(NumberFormat), DateTimeFormat: callable(DateTimeFormat), Collator: callable(Collator), PluralRules, ListFormat,
    RelativeTimeFormat, Segmenter, DisplayNames, getCanonicalLocales: (locales) => [].concat(locales ?? []), supportedValuesOf: () => [],
  },
  writable: true, configurable: true,
});

function method(prototype, name, act) {
  Object.defineProperty(prototype, name, { value: act, writable: true, configurable: true, enumerable: false });
}
method(Number.prototype, 'toLocaleString', function toLocaleString(locale, options) { return new NumberFormat(locale, options).format(this.valueOf()); });
method(BigInt.prototype, 'toLocaleString', function toLocaleString() { return grouped(this.toString()); });
const dated = (need, fallback) => function (locale, options) {
  return Number.isNaN(this.getTime()) ? 'Invalid Date' : new DateTimeFormat(locale, options ?? {}, need, fallback).format(this);
};
method(Date.prototype, 'toLocaleString', dated('any', 'all'));
method(Date.prototype, 'toLocaleDateString', dated('date', 'date'));
method(Date.prototype, 'toLocaleTimeString', dated('time', 'time'));
for (const name of ['toString', 'toTimeString']) {
  const plain = Date.prototype[name];
  method(Date.prototype, name, { [name]() {
    const text = plain.call(this);
    return text.endsWith('GMT+0000') ? `${text} (Coordinated Universal Time)` : text;
  } }[name]);
}
method(String.prototype, 'localeCompare', function localeCompare(other, locale, options) { return compareText(String(this), String(other), options); });
