import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkNginx, outdated } from './nginx-version.ts';

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'lictor-nginx-'));
});
afterAll(() => {
  rmSync(dir, { recursive: true, force: true });
});

function fakeNginx(version: string): string {
  const file = join(dir, `nginx-${version}`);
  writeFileSync(file, `#!/bin/sh\necho "nginx version: nginx/${version}" >&2\n`);
  chmodSync(file, 0o755);
  return file;
}

const policy = (installed: string, candidate: string) =>
  `nginx:\n  Installed: (none)\n  Candidate: 1.22.1-9\n  Version table:\nnginx-light:\n  Installed: ${installed}\n  Candidate: ${candidate}\n  Version table:\n`;

describe('nginx', () => {
  it('is fine from 1.18 on, and too old before', async () => {
    expect(await checkNginx({ LICTOR_NGINX: fakeNginx('1.18.0') }, async () => null)).toMatchObject({ status: 'ok' });
    const old = await checkNginx({ LICTOR_NGINX: fakeNginx('1.16.1') }, async () => null);
    expect(old).toMatchObject({ status: 'fail', message: expect.stringContaining('1.18') });
    expect(old.message).toContain('1.16.1');
  });

  it('names a missing one', async () => {
    expect(await checkNginx({ LICTOR_NGINX: '/nonexistent/nginx' }, async () => null)).toMatchObject({
      status: 'fail',
      remedy: expect.stringContaining('apt-get install'),
    });
  });

  it('reads which installed package has a newer candidate', () => {
    expect(outdated(policy('1.22.1-9+deb12u1', '1.22.1-9+deb12u3'))).toEqual({
      name: 'nginx-light',
      installed: '1.22.1-9+deb12u1',
      candidate: '1.22.1-9+deb12u3',
    });
    expect(outdated(policy('1.22.1-9', '1.22.1-9'))).toBeUndefined();
    expect(outdated(policy('(none)', '1.22.1-9'))).toBeUndefined();
    expect(outdated('')).toBeUndefined();
  });
});
