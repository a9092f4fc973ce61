// A pasted request: curl as people and browsers write it, raw HTTP, and a line with a body.
import { describe, expect, it } from 'vitest';
import { parsePasted } from './pasted.ts';

const OWN = { origin: 'https://prefect.example.com' };
const read = (text: string) => {
  const { line, body, notes } = parsePasted(text, OWN);
  return { line, body: body?.toString(), notes };
};
const SECRET = 'lct_0123456789secret';

describe('a curl command', () => {
  it.each([
    ['curl https://prefect.example.com/api/flows/1', 'GET https://prefect.example.com/api/flows/1', undefined],
    [`curl -s -X DELETE 'https://prefect.example.com/api/flows/1'`, 'DELETE https://prefect.example.com/api/flows/1', undefined],
    [`curl -XPOST /api/flows/filter -d '{"limit": 1}'`, 'POST /api/flows/filter', '{"limit": 1}'],
    [
      `curl "https://prefect.example.com/api/flows/filter" --data-raw $'{"name":"it\\'s\\u0021"}' --compressed`,
      'POST https://prefect.example.com/api/flows/filter',
      `{"name":"it's!"}`,
    ],
    ['curl --json "{\\"a\\": \\"b\\"}" \\\n  --url=/api/flows/', 'POST /api/flows/', '{"a": "b"}'],
    ['curl -G /api/variables/ -d limit=1 -d offset=2', 'GET /api/variables/?limit=1&offset=2', undefined],
    ['$ curl --max-time 5 -o out.json /api/health', 'GET /api/health', undefined],
    ['curl -I /api/health', 'HEAD /api/health', undefined],
  ])('%s', (text, line, body) => {
    expect(read(text)).toMatchObject({ line, body });
  });

  it('says that a file with the body was not pasted', () => {
    expect(read('curl /api/flows/filter -X POST -d @body.json')).toMatchObject({ body: undefined, notes: [expect.stringContaining('file')] });
  });

  it.each([[`curl 'https://x`], ['curl -X POST'], ['curl -F a=b /x'], ['curl -X "P OST" /x']])('is refused: %s', (text) => {
    expect(() => read(text)).toThrow(expect.objectContaining({ code: 'usage' }));
  });
});

describe('raw HTTP', () => {
  it.each([
    [
      'POST /api/flow_runs/filter HTTP/1.1\r\nHost: prefect.example.com\r\nContent-Type: application/json\r\n\r\n{"limit": 1}\r\n',
      'POST /api/flow_runs/filter',
      '{"limit": 1}',
    ],
    ['get /api/health', 'GET /api/health', undefined],
    ['PATCH /api/flows/1\n{\n  "tags": []\n}', 'PATCH /api/flows/1', '{\n  "tags": []\n}'],
  ])('%j', (text, line, body) => {
    expect(read(text)).toEqual({ line, body, notes: [] });
  });

  it.each([[''], ['hello'], ['{"a": 1}'], ['GET api/flows']])('is refused: %j', (text) => {
    expect(() => read(text)).toThrow(expect.objectContaining({ code: 'usage' }));
  });

  it('of another host is for the same path here, and says so', () => {
    expect(read('GET https://other.example/api/flows/1')).toEqual({
      line: 'GET /api/flows/1',
      body: undefined,
      notes: [expect.stringContaining('other.example')],
    });
  });
});

it.each([
  [`curl -H 'Authorization: Bearer ${SECRET}' /api/flows/1`],
  [`curl -u me:${SECRET} /api/flows/1`],
  [`curl -b lictor=${SECRET} /api/flows/1`],
  [`curl -H "Cookie: lictor=${SECRET}" /api/flows/1`],
  [`curl https://me:${SECRET}@prefect.example.com/api/flows/1`],
  [`GET /api/flows/1 HTTP/1.1\nAuthorization: Bearer ${SECRET}\nX-Lictor-Token: ${SECRET}\n`],
])('no credential is in the answer: %s', (text) => {
  expect(JSON.stringify(read(text))).not.toContain(SECRET);
});

it.each([[`curl 'https://x ${SECRET}`], [`curl -X ${SECRET} /x`], [SECRET], [`GET ${SECRET}`]])('nor in an error: %s', (text) => {
  expect(() => read(text)).toThrow(expect.objectContaining({ message: expect.not.stringContaining(SECRET) }));
});
