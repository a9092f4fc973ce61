// docs/how-to/behind-a-proxy.md with HAProxy and Caddy, and path-prefix.md with nginx: test/integration/behind-a-proxy.test.ts has nginx without a path.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Behind, behindAnyProxy, caddyOfPage, haproxyOfPage, type StartFront, startBehind, startNginx } from '../env/behind-a-proxy.ts';
import { answerAsPrefect, chainFindings } from '../env/chain-behind.ts';
import { docsBlock } from '../env/docs.ts';
import { run } from '../env/process.ts';
import { bringProgram } from '../runner/programs.ts';

describe.each([
  ['haproxy', haproxyOfPage],
  ['caddy', caddyOfPage],
] as const)('behind %s', (program, startFront) => {
  let behind: Behind;
  beforeAll(async () => {
    await bringProgram(program, process.env, (line) => void process.stderr.write(`${line}\n`));
    behind = await startBehind(startFront);
  });
  afterAll(() => behind?.close());

  behindAnyProxy(() => behind);

  it('is sound for lictor doctor --deep', async () => {
    behind.upstream.answerWith(answerAsPrefect);
    const found = await chainFindings(behind);
    expect(found.filter(({ status }) => status !== 'ok')).toEqual([]);
  });
});

describe('below a path of nginx', () => {
  const PAGE = 'how-to/path-prefix.md';
  const startFront: StartFront = (front, ready) => {
    const [map, server] = docsBlock('how-to/behind-a-proxy.md', 'map $http_upgrade').split(/(?<=\n)(?=server)/);
    const locations = docsBlock(PAGE, 'location /prefect/').replaceAll('127.0.0.1:8200', `127.0.0.1:${front.to}`);
    return startNginx(front, `${map}${server?.split('    location ')[0]}${locations}}`, ready);
  };
  let behind: Behind;
  beforeAll(async () => {
    behind = await startBehind(startFront, PAGE);
  });
  afterAll(() => behind?.close());

  it('answers below the path alone, and at the addresses of the standards', async () => {
    const script = docsBlock(PAGE, 'curl -s').replaceAll('https://example.com', `https://localhost:${behind.port}`).replaceAll('curl ', 'curl -k ');
    const { output } = await run({ name: 'curl', command: 'sh', args: ['-c', script], env: { PATH: process.env['PATH'] } });
    expect(output).toBe('200\n404\n');
    const headers = { 'x-lictor-token': behind.token.secret };
    const status = async (path: string) => (await behind.ask({ path, headers })).statusCode;
    expect([await status('/prefect/api/version'), await status('/.well-known/oauth-authorization-server/prefect')]).toEqual([200, 200]);
    expect(await status('/api/version')).toBe(404);
  });
});
