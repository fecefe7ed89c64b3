'use strict';
// `url`: addresses, over the host's parser.

const { coded, invalidType } = internal('errors');
const { custom, inspect } = internal('inspect');

const names = ['href', 'protocol', 'username', 'password', 'host', 'hostname', 'port', 'pathname', 'search', 'hash', 'origin'];

function decode(text) {
  return host.decode(percent(text.replaceAll('+', ' ')), 'utf8');
}

/** The bytes of a text with `%xx` in it. */
function percent(text) {
  if (!text.includes('%')) return host.encode(text, 'utf8');
  const parts = text.split(/((?:%[0-9A-Fa-f]{2})+)/);
  const { Buffer } = internal('buffer');
  return Buffer.concat(parts.map((part, at) => (at % 2 ? Buffer.from(part.replaceAll('%', ''), 'hex') : Buffer.from(part))));
}

function encode(text) {
  return encodeURIComponent(String(text).toWellFormed()).replaceAll('%20', '+').replace(/[!'()~]/g, (letter) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`);
}

class URLSearchParams {
  #pairs = [];
  #changed = () => {};
  constructor(start, changed) {
    if (changed) this.#changed = changed;
    this.reset(start);
  }
  static {
    Object.defineProperty(this.prototype, 'reset', {
      value(start) { this.#pairs = URLSearchParams.#read(start); }, enumerable: false,
    });
  }
  static #read(start) {
    if (start === undefined || start === null) return [];
    if (typeof start === 'object' || typeof start === 'function') {
      if (typeof start[Symbol.iterator] === 'function') {
        return [...start].map((pair) => {
          const both = [...pair];
          if (both.length !== 2) throw coded(TypeError, 'ERR_INVALID_TUPLE', 'Each query pair must be an iterable [name, value] tuple');
          return both.map(String);
        });
      }
      return Object.entries(start).map(([name, value]) => [name, String(value)]);
    }
    const text = String(start).replace(/^\?/, '');
    return text.split('&').filter((part) => part !== '').map((part) => {
      const at = part.indexOf('=');
      return at < 0 ? [decode(part), ''] : [decode(part.slice(0, at)), decode(part.slice(at + 1))];
    });
  }
  get size() { return this.#pairs.length; }
  get(name) { return this.#pairs.find(([key]) => key === String(name))?.[1] ?? null; }
  getAll(name) { return this.#pairs.filter(([key]) => key === String(name)).map(([, value]) => value); }
  has(name, value) { return this.#pairs.some((pair) => pair[0] === String(name) && (value === undefined || pair[1] === String(value))); }
  append(name, value) { this.#pairs.push([String(name), String(value)]); this.#changed(this); }
  set(name, value) {
    const first = this.#pairs.findIndex(([key]) => key === String(name));
    if (first < 0) this.#pairs.push([String(name), String(value)]);
    else {
      this.#pairs[first] = [String(name), String(value)];
      this.#pairs = this.#pairs.filter(([key], at) => at <= first || key !== String(name));
    }
    this.#changed(this);
  }
  delete(name, value) {
    this.#pairs = this.#pairs.filter((pair) => pair[0] !== String(name) || (value !== undefined && pair[1] !== String(value)));
    this.#changed(this);
  }
  sort() { this.#pairs.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)); this.#changed(this); }
  forEach(act, self) { for (const [name, value] of this.#pairs) act.call(self, value, name, this); }
  * entries() { yield* this.#pairs.map((pair) => [...pair]); }
  * keys() { for (const [name] of this.#pairs) yield name; }
  * values() { for (const [, value] of this.#pairs) yield value; }
  toString() { return this.#pairs.map(([name, value]) => `${encode(name)}=${encode(value)}`).join('&'); }
  [custom](depth, options) {
    if (this.#pairs.length === 0) return 'URLSearchParams {}';
    return `URLSearchParams { ${this.#pairs.map(([name, value]) => `${inspect(name, options)} => ${inspect(value, options)}`).join(', ')} }`;
  }
}
Object.defineProperty(URLSearchParams.prototype, Symbol.iterator, { value: URLSearchParams.prototype.entries, writable: true, configurable: true });
Object.defineProperty(URLSearchParams.prototype, Symbol.toStringTag, { value: 'URLSearchParams', configurable: true });

class URL {
  #parts;
  #params;
  constructor(address, base) {
    const parts = host.parseUrl(String(address), base === undefined ? undefined : String(base));
    if (parts === null) {
      const error = coded(TypeError, 'ERR_INVALID_URL', 'Invalid URL');
      error.input = String(address);
      if (base !== undefined) error.base = String(base);
      throw error;
    }
    this.#parts = parts;
  }
  static canParse(address, base) { return host.parseUrl(String(address), base === undefined ? undefined : String(base)) !== null; }
  static parse(address, base) { return URL.canParse(address, base) ? new URL(address, base) : null; }
  static {
    for (const [at, name] of names.entries()) {
      Object.defineProperty(this.prototype, name, {
        configurable: true, enumerable: true,
        get() { return this.#parts[at]; },
        set: name === 'origin' ? undefined : function (value) { this.#change(name, String(value)); },
      });
    }
  }
  #change(name, value) {
    if (name === 'href') this.#parts = new URL(value).#parts;
    else this.#parts = host.setUrl(this.#parts[0], name, value);
    if (name === 'search' || name === 'href') this.#params?.reset(this.search);
  }
  get searchParams() {
    this.#params ??= new URLSearchParams(this.search, (params) => {
      this.#parts = host.setUrl(this.#parts[0], 'search', params.toString());
    });
    return this.#params;
  }
  toString() { return this.#parts[0]; }
  toJSON() { return this.#parts[0]; }
  [custom](depth, options) {
    if (typeof depth === 'number' && depth < 0) return this.href;
    const shown = {};
    for (const name of ['href', 'origin', 'protocol', 'username', 'password', 'host', 'hostname', 'port', 'pathname', 'search', 'searchParams', 'hash']) {
      shown[name] = this[name];
    }
    return `${this.constructor.name} ${inspect(shown, options)}`;
  }
}
Object.defineProperty(URL.prototype, Symbol.toStringTag, { value: 'URL', configurable: true });

function fileURLToPath(address) {
  if (typeof address === 'string') address = new URL(address);
  else if (!address?.href) throw invalidType('path', 'of type string or an instance of URL', address);
  if (address.protocol !== 'file:') throw coded(TypeError, 'ERR_INVALID_URL_SCHEME', 'The URL must be of scheme file');
  return decodeURIComponent(address.pathname);
}

function pathToFileURL(file) {
  let target = internal('path').resolve(file);
  if (file.endsWith('/') && target !== '/') target += '/';
  const escaped = target.replace(/[%\\\n\r\t?#]/g, (letter) => encodeURIComponent(letter));
  return new URL(`file://${escaped}`);
}

/** A path, whether it comes as one or as an address. */
function toPath(value) {
  return typeof value === 'string' && !value.startsWith('file:') ? value : fileURLToPath(value);
}

class Url {
  constructor(fields) { Object.assign(this, fields); }
}

/** The old way, which takes what is no whole address. */
function parse(address, query) {
  const [, protocol = null, slashes, auth = null, hostPart = null, pathname = null, search = null, hash = null] = /^([a-zA-Z][a-zA-Z0-9+.-]*:)?(\/\/)?(?:([^/?#@]*)@)?([^/?#]*)?([^?#]*)?(\?[^#]*)?(#.*)?$/s.exec(address) ?? [];
  let [named, port] = [null, null];
  let route = pathname;
  if (slashes && hostPart !== null) [, named, port = null] = /^(.*?)(?::(\d+))?$/.exec(hostPart);
  else route = `${auth !== null ? `${auth}@` : ''}${hostPart ?? ''}${pathname ?? ''}` || null;
  if (slashes && !route && /^(https?|ftp|file):$/.test(protocol ?? '')) route = '/';
  const bare = search === null ? null : search.slice(1);
  return new Url({
    protocol, slashes: slashes ? true : null, auth: slashes ? auth : null, host: slashes ? hostPart?.toLowerCase() : null, port,
    hostname: named?.toLowerCase() ?? null, hash, search: query && search === null ? '' : search,
    query: query ? { __proto__: null, ...internal('querystring').parse(bare ?? '') } : bare,
    pathname: route || null, path: (route || '') + (search ?? '') || null,
    href: `${protocol ?? ''}${slashes ?? ''}${slashes && auth ? `${auth}@` : ''}${slashes ? hostPart?.toLowerCase() ?? '' : ''}${route ?? ''}${search ?? ''}${hash ?? ''}`,
  });
}

function format(address) {
  if (typeof address === 'string') return parse(address).href;
  if (address instanceof URL) return address.href;
  const { auth, hostname, port, pathname = '', query, hash = '' } = address;
  let { protocol = '', host: whole, search } = address;
  if (protocol && !protocol.endsWith(':')) protocol += ':';
  whole ??= hostname ? hostname + (port ? `:${port}` : '') : '';
  search ??= query && typeof query === 'object' && Object.keys(query).length > 0 ? `?${internal('querystring').stringify(query)}` : '';
  if (search && !search.startsWith('?')) search = `?${search}`;
  const slashes = address.slashes || (/^(https?|ftp|file):$/.test(protocol) && whole) ? '//' : '';
  return `${protocol}${slashes}${auth ? `${auth}@` : ''}${whole}${whole && pathname && !pathname.startsWith('/') ? '/' : ''}${pathname}${search}${hash && !hash.startsWith('#') ? `#${hash}` : hash}`;
}

module.exports = {
  URL, URLSearchParams, Url, parse, format, fileURLToPath, pathToFileURL,
  resolve: (from, to) => {
    const base = new URL(from, 'resolve://x/');
    const result = new URL(to, base);
    return result.protocol === 'resolve:' ? result.pathname + result.search + result.hash : result.href;
  },
  domainToASCII: (name) => (URL.canParse(`http://${name}`) ? new URL(`http://${name}`).hostname : ''), domainToUnicode: (name) => name,
  urlToHttpOptions: (address) => ({ protocol: address.protocol, hostname: address.hostname, path: address.pathname + address.search, href: address.href }),
};
for (const [name, value] of Object.entries({ toPath, punycode: { toASCII: (name) => module.exports.domainToASCII(name) } })) {
  Object.defineProperty(module.exports, name, { value, enumerable: false });
}
