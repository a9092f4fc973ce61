// What a control plane that is started again goes on with, when the copy of the configuration could not be made.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadCandidate, loadInUse } from './in-use.ts';

const TEXT = 'public_url: http://localhost:8200\nprefect: { url: http://127.0.0.1:4200 }\n';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'lictor-in-use-'));
  writeFileSync(join(root, 'lictor.yaml'), TEXT);
});
afterEach(() => rmSync(root, { recursive: true }));

const place = () => ({ file: join(root, 'lictor.yaml'), env: {}, paths: { root, configInUse: join(root, 'in-use.yaml') } });
/** Where the copy would be: nothing can be copied onto a directory, as nothing can be onto a full disk. */
const preventCopy = () => mkdirSync(join(root, `in-use.yaml.${process.pid}`));

describe('the configuration in use', () => {
  it('is the copy of what was applied', () => {
    loadCandidate(place()).keep();
    writeFileSync(join(root, 'lictor.yaml'), 'half edit');
    expect(loadInUse(place())).toMatchObject({ ok: true, config: { publicUrl: { port: 8200 } } });
  });

  it('is never a copy of something else: without a copy the file itself counts', () => {
    writeFileSync(join(root, 'in-use.yaml'), TEXT.replace('8200', '8300'));
    preventCopy();
    const candidate = loadCandidate(place());
    expect(candidate.loaded).toMatchObject({ ok: true, config: { publicUrl: { port: 8200 } } });
    candidate.keep();
    expect(loadInUse(place())).toBeUndefined();
  });

  it('stays when it says the same', () => {
    writeFileSync(join(root, 'in-use.yaml'), TEXT);
    preventCopy();
    loadCandidate(place()).keep();
    expect(readFileSync(join(root, 'in-use.yaml'), 'utf8')).toBe(TEXT);
    expect(existsSync(join(root, `in-use.yaml.${process.pid}`))).toBe(false);
  });
});
