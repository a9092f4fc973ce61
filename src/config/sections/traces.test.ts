import { afterAll, describe, expect, it } from 'vitest';
import { openTestFile } from '../test-file.ts';

const file = openTestFile();
const { accepted, problems, write } = file;
afterAll(() => file.remove());

const withTraces = (text: string): string => `public_url: http://localhost:8200\nprefect: { url: "http://127.0.0.1:4200" }\ntraces: { ${text} }\n`;

describe('traces', () => {
  write('headers', 'Authorization: Bearer abc\n');

  it('take a tenth, where nothing else is said', () => {
    expect(accepted(withTraces('url: "http://127.0.0.1:4318"')).traces).toEqual({
      url: 'http://127.0.0.1:4318/',
      headers: {},
      ca: null,
      timeoutMs: 5_000,
      share: 0.1,
    });
    expect(accepted(withTraces('url: "http://127.0.0.1:4318", sample: 0.5%')).traces?.share).toBeCloseTo(0.005);
  });

  it.each([
    ['url: "http://c.example:4318", headers_file: headers', 'traces.url'],
    ['url: "https://u:p@c.example"', 'traces.url'],
    ['url: "http://c.example", ca_file: headers', 'traces.ca_file'],
    ['url: "https://c.example", sample: 101%', 'traces.sample'],
    ['url: "grpc://c.example"', 'traces.url'],
  ])('refuse %s', (text, path) => {
    expect(problems(withTraces(text))).toMatchObject([{ path }]);
  });
});
