import { afterEach, describe, expect, it } from 'vitest';
import { decodeText } from './scan.ts';
import { createScanner, type Scanner } from './scanner.ts';
import { parseScanned, parseStrict } from './strict-json.ts';

describe('a scan by the thread', () => {
  let scanner: Scanner | undefined;
  afterEach(() => scanner?.close());

  it.each(['{"1":1.0,"0":[-0,12345678901234567890]}', '{"a":1,"a":2}', '{"a":', '["\\ud800"]', `[${'0,'.repeat(300_000)}0]`, '\ufeff{}'])(
    'says what is said without it, of body %#',
    async (text) => {
      scanner = createScanner();
      const body = Buffer.from(text);
      expect(parseScanned(decodeText(body), await scanner.scan(body))).toEqual(parseStrict(body));
    },
  );

  it('survives 16 MiB of control characters in a key, and numbers without commas, which are no JSON', async () => {
    scanner = createScanner();
    const key = Buffer.concat([Buffer.from('{"1":0,"\u4e00'), Buffer.alloc((16 << 20) - 40, 1), Buffer.from('":0}')]);
    const scanned = await scanner.scan(key);
    expect(scanned.ok && scanned.lost.orders.length).toBeLessThan(100);
    expect(parseScanned(decodeText(key), scanned)).toMatchObject({ ok: false, code: 'body-not-json' });
    expect(await scanner.scan(Buffer.from('00 '.repeat(400_000)))).toMatchObject({ ok: false, code: 'body-too-complex' });
    expect(await scanner.scan(Buffer.from('{"1":0,"0":"\\n"}'))).toMatchObject({ ok: true, lost: { orders: '[[0,["1","0"]]]' } });
  });

  it('answers each its own, and is there again after one that took too long', async () => {
    scanner = createScanner(0);
    await expect(scanner.scan(Buffer.from('[]'))).rejects.toThrow('not scanned');
    await scanner.close();
    const patient = createScanner();
    scanner = patient;
    const scanned = await Promise.all(['[]', '[', '{"a":1,"a":1}'].map((text) => patient.scan(Buffer.from(text))));
    expect(scanned.map(({ ok }) => ok)).toEqual([true, true, false]);
  });
});
