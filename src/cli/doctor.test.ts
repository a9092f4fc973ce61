import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeMemoryDir } from '../config/memory-dir.fixture.ts';
import type { Finding } from '../operations/doctor/finding.ts';
import { renderFindings } from './doctor-text.ts';
import { main } from './main.ts';

let root: string;
beforeAll(() => {
  root = makeMemoryDir('lictor-doctor-cli-');
  // Port 9 (discard): no server answers.
  writeFileSync(join(root, 'lictor.yaml'), 'public_url: http://localhost:8200\nprefect: { url: "http://127.0.0.1:9" }\n');
});
let plain: Awaited<ReturnType<typeof doctor>>;
beforeAll(async () => {
  plain = await doctor();
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

async function doctor(...args: string[]) {
  return await doctorIn({}, ...args);
}

/** With LICTOR_NGINX, apt is not asked, which takes most of the time. */
async function doctorWithoutApt(...args: string[]) {
  return await doctorIn({ LICTOR_NGINX: 'nginx' }, ...args);
}

async function doctorIn(env: NodeJS.ProcessEnv, ...args: string[]) {
  const [out, err] = [new PassThrough(), new PassThrough()];
  const status = await main({
    args: ['--state-dir', root, '-c', join(root, 'lictor.yaml'), 'doctor', ...args],
    out,
    err,
    env: { PATH: process.env['PATH'], ...env },
    cwd: root,
  });
  return { status, out: String(out.read() ?? ''), err: String(err.read() ?? '') };
}

describe('lictor doctor', () => {
  it('says first that the gateway does not run, still looks inside, and answers 1', () => {
    const { status, out, err } = plain;
    expect(status).toBe(1);
    expect(err).toBe('');
    expect(out).toMatch(/^The gateway does not run with /);
    expect(out).toMatch(/machine {9}nginx[\s\S]*edge[\s\S]*FAIL[\s\S]*-> Start it with lictor up/);
    expect(out).toContain('ECONNREFUSED');
    expect(out).not.toContain('sockets         ');
    expect(out.trimEnd().split('\n').at(-1)).toMatch(/^\d+ ok, \d+ hints?, \d+ FAIL$/);
  });

  it('says of a state directory that is not there yet what makes it, and nothing in the words of the system', async () => {
    const { out } = await doctorWithoutApt('--state-dir', join(root, 'not-yet'));
    expect(out).toMatch(/hint {2}there is no state directory \S+not-yet yet\n +-> lictor up creates it\./);
    expect(out).not.toContain('ENOENT');
    expect(plain.out).not.toContain('there is no state directory');
  });

  it('prints one object with --json', async () => {
    const { status, out } = await doctorWithoutApt('--json');
    expect(status).toBe(1);
    const { ok, running, findings } = JSON.parse(out);
    expect({ ok, running }).toEqual({ ok: false, running: false });
    expect(findings).toContainEqual({
      group: 'edge',
      check: 'processes',
      status: 'fail',
      message: expect.any(String),
      remedy: expect.stringContaining('lictor up'),
    });
  });

  it('makes a line of every problem of the configuration', async () => {
    writeFileSync(join(root, 'broken.yaml'), 'public_url: http://example.com\nprefect: { uri: x }\n');
    const { status, out } = await doctorWithoutApt('-c', join(root, 'broken.yaml'));
    expect(status).toBe(1);
    expect(out).toContain('lictor.yaml public_url');
    expect(out).toContain('lictor.yaml prefect.uri');
  });
});

describe('the text of findings', () => {
  const plain = (_style: string, text: string) => text;
  const finding = (status: Finding['status'], message: string, remedy: string | null): Finding => ({
    group: 'public-url',
    check: 'x',
    status,
    message,
    remedy,
  });

  it.each([60, 80, 120])('has the remedy below what is not well, fits %i characters a line, and has no control characters', (width) => {
    const long = 'words that go on '.repeat(20).trim();
    const sockets: Finding = { ...finding('ok', 'open', null), group: 'sockets' };
    const findings = [finding('ok', 'fine', null), finding('fail', `${long}\u001b[2J`, long), finding('warn', 'soon', 'renew it'), sockets];
    const lines = renderFindings(findings, { paint: plain, width });
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(width);
    expect(Math.max(...lines.map((line) => line.length))).toBeGreaterThan(width - 12);
    expect(lines.join('\n')).not.toContain('\u001b');
    expect(lines).toContain('  ok    fine');
    expect(lines[lines.indexOf('  hint  soon') + 1]).toBe('        -> renew it');
    expect(lines.at(-1)).toBe('2 ok, 1 hint, 1 FAIL');
  });
});
