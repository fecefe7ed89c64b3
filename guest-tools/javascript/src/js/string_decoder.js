'use strict';
// Text out of bytes that come in pieces.

class StringDecoder {
  constructor(encoding = 'utf8') {
    this.encoding = String(encoding).toLowerCase().replace('-', '');
    Object.defineProperty(this, 'rest', { value: Buffer.alloc(0), writable: true });
  }
  write(bytes) {
    if (typeof bytes === 'string') return bytes;
    const whole = Buffer.concat([this.rest, bytes]);
    const end = whole.length - this.open(whole);
    this.rest = whole.subarray(end);
    return whole.toString(this.encoding, 0, end);
  }
  /** How many bytes at the end are the beginning of a letter. */
  open(bytes) {
    if (this.encoding === 'utf16le' || this.encoding === 'ucs2') return bytes.length % 2;
    if (this.encoding === 'base64') return bytes.length % 3;
    if (this.encoding !== 'utf8') return 0;
    for (let back = 1; back <= Math.min(3, bytes.length); back++) {
      const byte = bytes[bytes.length - back];
      if ((byte & 0xc0) === 0x80) continue;
      const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
      return length > back ? back : 0;
    }
    return 0;
  }
  end(bytes) {
    const text = (bytes ? this.write(bytes) : '') + this.rest.toString(this.encoding);
    this.rest = Buffer.alloc(0);
    return text;
  }
}

module.exports = { StringDecoder };
