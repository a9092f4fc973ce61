import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { freePort } from '../../../test/env/free-port.ts';
import { stubConfig } from '../../../test/env/stub-edge.ts';
import { prepareStateDir, removeRuntimeDir } from '../../config/runtime-dir.ts';
import { applyEdge, buildHint } from './apply.ts';
import { renderHere } from './check.ts';

describe('what nginx says of a configuration that it refuses', () => {
  it('names the remedy when its build lacks a usual module', () => {
    expect(buildHint('nginx: [emerg] unknown directive "limit_req_zone" in http.conf:24')).toMatch(/instead of nginx-light/);
  });
  it('says nothing of the build otherwise', () => {
    expect(buildHint('nginx: [emerg] bind() to 0.0.0.0:80 failed (98: Address already in use)')).toBe('');
  });
});

describe('a configuration that is put in place', () => {
  it('takes away what processes have left that ended, and not what one beside it still looks at', async () => {
    const root = mkdtempSync(join(tmpdir(), 'apply-'));
    const paths = prepareStateDir(join(root, 'state'));
    const others = { living: [`conf-a-${process.ppid}`, `check-${process.ppid}`], ended: ['conf-a-999999999', 'check-999999999', `conf-a-${process.pid}`] };
    for (const name of Object.values(others).flat()) mkdirSync(join(paths.edge, name));
    const config = stubConfig(await freePort(), { url: 'http://127.0.0.1:4200', authString: 'user:not-a-secret' });
    const { files, version } = await renderHere(config, paths, process.env);
    expect(await applyEdge(files, paths, version)).toMatchObject({ changed: true });
    const left = readdirSync(paths.edge);
    expect(left).toEqual(expect.arrayContaining([...others.living, 'current']));
    expect(left.filter((name) => others.ended.includes(name))).toEqual([]);
    expect(left).toHaveLength(4);
    removeRuntimeDir(paths);
    rmSync(root, { recursive: true, force: true });
  });
});
