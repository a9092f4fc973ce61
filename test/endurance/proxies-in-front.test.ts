// docs/how-to/behind-a-proxy.md with HAProxy and Caddy: test/integration/behind-a-proxy.test.ts has nginx.
import { afterAll, beforeAll, describe } from 'vitest';
import { type Behind, behindAnyProxy, caddyOfPage, haproxyOfPage, startBehind } from '../env/behind-a-proxy.ts';
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
});
