'use strict';
// `crypto`: digests and random bytes.

const { Buffer, view } = internal('buffer');
const { coded } = internal('errors');

const blocks = { md5: 64, sha1: 64, sha224: 64, sha256: 64, sha384: 128, sha512: 128 };
const plain = (name) => String(name).toLowerCase().replace('sha-', 'sha').replace('rsa-', '');

function bytesOf(data, encoding) {
  if (typeof data === 'string') return Buffer.from(data, encoding);
  if (ArrayBuffer.isView(data)) return Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  throw internal('errors').invalidType('data', 'of type string or an instance of Buffer, TypedArray, or DataView', data);
}

function digest(name, bytes) {
  const result = host.digest(name, bytes);
  if (result === null) throw coded(Error, 'ERR_OSSL_EVP_UNSUPPORTED', 'Digest method not supported');
  return view(result);
}

class Hash extends internal('stream').Transform {
  constructor(name, finish) {
    super();
    Object.defineProperty(this, 'state', { value: { name, parts: [], done: false, finish } });
  }
  update(data, encoding) {
    if (this.state.done) throw coded(Error, 'ERR_CRYPTO_HASH_FINALIZED', 'Digest already called');
    this.state.parts.push(Buffer.from(bytesOf(data, encoding)));
    return this;
  }
  digest(encoding) {
    if (this.state.done) throw coded(Error, 'ERR_CRYPTO_HASH_FINALIZED', 'Digest already called');
    this.state.done = true;
    const result = this.state.finish(Buffer.concat(this.state.parts));
    return encoding && encoding !== 'buffer' ? result.toString(encoding) : result;
  }
  copy() {
    const other = new Hash(this.state.name, this.state.finish);
    other.state.parts.push(...this.state.parts);
    return other;
  }
  _transform(chunk, _, done) { this.update(chunk); done(); }
  _flush(done) { done(null, this.digest()); }
}

function createHash(name) {
  name = plain(name);
  if (!blocks[name]) throw Object.assign(new Error('Digest method not supported'), { code: 'ERR_CRYPTO_INVALID_DIGEST' });
  return new Hash(name, (bytes) => digest(name, bytes));
}

function hmac(name, key, bytes) {
  let secret = bytesOf(key);
  if (secret.length > blocks[name]) secret = digest(name, secret);
  const padded = Buffer.concat([secret, Buffer.alloc(blocks[name] - secret.length)]);
  const inner = digest(name, Buffer.concat([padded.map((byte) => byte ^ 0x36), bytes]));
  return digest(name, Buffer.concat([padded.map((byte) => byte ^ 0x5c), inner]));
}

function createHmac(name, key) {
  name = plain(name);
  if (!blocks[name]) throw Object.assign(new Error(`Invalid digest: ${name}`), { code: 'ERR_CRYPTO_INVALID_DIGEST' });
  return new Hash(name, (bytes) => hmac(name, key, bytes));
}

function randomBytes(size, done) {
  const bytes = view(host.random(size));
  if (!done) return bytes;
  internal('timers').later(() => done(null, bytes));
  return undefined;
}

function randomUUID() {
  const bytes = randomBytes(16);
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

function randomInt(low, high, done) {
  if (high === undefined || typeof high === 'function') [low, high, done] = [0, low, high];
  if (!(low < high)) {
    throw coded(RangeError, 'ERR_OUT_OF_RANGE', `The value of "max" is out of range. It must be greater than the value of "min" (${low}). Received ${high}`);
  }
  const range = high - low;
  const limit = 2 ** 48 - (2 ** 48 % range);
  let value;
  do value = randomBytes(6).readUIntBE(0, 6); while (value >= limit);
  if (!done) return low + (value % range);
  internal('timers').later(() => done(null, low + (value % range)));
  return undefined;
}

function getRandomValues(array) {
  new Uint8Array(array.buffer, array.byteOffset, array.byteLength).set(host.random(array.byteLength));
  return array;
}

function timingSafeEqual(a, b) {
  if (a.byteLength !== b.byteLength) throw coded(RangeError, 'ERR_CRYPTO_TIMING_SAFE_EQUAL_LENGTH', 'Input buffers must have the same byte length');
  return bytesOf(a).reduce((different, byte, at) => different | (byte ^ bytesOf(b)[at]), 0) === 0;
}

function pbkdf2Sync(password, salt, rounds, length, name) {
  name = plain(name);
  const parts = [];
  for (let block = 1, got = 0; got < length; block++) {
    const number = Buffer.alloc(4);
    number.writeUInt32BE(block);
    let last = hmac(name, password, Buffer.concat([bytesOf(salt), number]));
    const sum = Buffer.from(last);
    for (let round = 1; round < rounds; round++) {
      last = hmac(name, password, last);
      for (let at = 0; at < sum.length; at++) sum[at] ^= last[at];
    }
    parts.push(sum);
    got += sum.length;
  }
  return Buffer.concat(parts).subarray(0, length);
}

function absent(name) {
  return () => { throw coded(Error, 'ERR_FEATURE_UNAVAILABLE_ON_PLATFORM', `crypto.${name} is not supported in this sandbox`); };
}

const subtle = {
  async digest(name, data) {
    const result = digest(plain(name.name ?? name), ArrayBuffer.isView(data) ? data : new Uint8Array(data));
    return result.buffer.slice(result.byteOffset, result.byteOffset + result.length);
  },
};
const webcrypto = { randomUUID, getRandomValues, subtle };

module.exports = {
  createHash, createHmac, randomBytes, randomUUID, randomInt, getRandomValues, timingSafeEqual, pbkdf2Sync, webcrypto, subtle, Hash,
  hash: (name, data, encoding = 'hex') => createHash(name).update(data).digest(encoding),
  randomFillSync: getRandomValues, getHashes: () => Object.keys(blocks), getCiphers: () => [],
};
for (const name of ['createCipheriv', 'createDecipheriv', 'createSign', 'createVerify', 'generateKeyPairSync', 'scryptSync', 'publicEncrypt', 'createPrivateKey', 'createPublicKey', 'sign', 'verify']) {
  module.exports[name] = absent(name);
}
