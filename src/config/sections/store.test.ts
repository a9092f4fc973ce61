// store, store_listen: what they accept, and that no password stands in a problem.
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { Keys } from '../report.ts';
import { reportPlainPasswords, storeListenSection, storeSection } from './store.ts';

const context = { stateDir: '/state', baseDir: '/etc/lictor' };
const store = (value: unknown) => storeSection(context).safeParse(value);

describe('store', () => {
  it.each<[unknown, unknown]>([
    [undefined, '/state/lictor.db'],
    ['sqlite:/srv/lictor.db', '/srv/lictor.db'],
    ['postgres://lictor@127.0.0.1/lictor', { url: 'postgres://lictor@127.0.0.1/lictor', passwordFile: null }],
    ['postgresql://lictor:p%40ss@[::1]:5433/lictor', { url: 'postgresql://lictor:p%40ss@[::1]:5433/lictor', passwordFile: null }],
    ['postgres://a@db.example/b?sslmode=verify-full', { url: 'postgres://a@db.example/b?sslmode=verify-full', passwordFile: null }],
    ['postgres://a@127.0.0.1,localhost:5433/b', { url: 'postgres://a@127.0.0.1,localhost:5433/b', passwordFile: null }],
    ['postgres://a@localhost/b?host=/run/postgresql', { url: 'postgres://a@localhost/b?host=/run/postgresql', passwordFile: null }],
    [
      { url: 'postgres://a@db.example/b?sslmode=disable', password_file: 'pw' },
      { url: 'postgres://a@db.example/b?sslmode=disable', passwordFile: '/etc/lictor/pw' },
    ],
  ])('accepts %j', (value, parsed) => expect(store(value)).toMatchObject({ success: true, data: parsed }));

  it.each<[string, unknown, RegExp]>([
    ['another kind', 'mysql://a@b/c', /must be sqlite:/],
    ['no user', 'postgres://db.example/b?sslmode=disable', /no address/],
    ['no database', 'postgres://a@localhost', /no address/],
    ['a password with a slash', 'postgres://a:12/hidden@db.example/b', /no address/],
    ['a password with a question mark', 'postgres://a:12?hidden@db.example/b', /no address/],
    ['a parameter that Lictor would ignore', 'postgres://a@localhost/b?hidden=1', /no address/],
    ['a parameter twice', 'postgres://a@h.example/b?sslmode=verify-full&sslmode=disable', /no address/],
    ['no server', 'postgres://a@/b', /no address/],
    ['a standby elsewhere in plain text', 'postgres://a@localhost,db.example/b', /whether the connection is encrypted/],
    ['an empty server', 'postgres://a@localhost,,localhost/b', /no address/],
    ['another server as the socket', 'postgres://a@localhost/b?host=db.example', /no directory/],
    ['a server elsewhere in plain text', 'postgres://a@db.example/b', /whether the connection is encrypted/],
    ['a mode that does not check the server', 'postgres://a@db.example/b?sslmode=require', /whether the connection is encrypted/],
    ['no file of authorities', 'postgres://a@db.example/b?sslmode=verify-full&sslrootcert=/none.pem', /sslrootcert/],
    ['a URL alone in a map', { url: 'postgres://a@localhost/b' }, /./],
    ['a file of SQLite in a map', { url: 'sqlite:hidden.db', password_file: 'pw' }, /no address/],
  ])('rejects %s', (_name, value, message) => {
    const { error } = store(value);
    expect(error === undefined ? '' : z.prettifyError(error)).toMatch(message);
    expect(JSON.stringify(error?.issues)).not.toContain('hidden');
  });
});

describe('store_listen', () => {
  it('is a database of Postgres, or nothing', () => {
    expect(storeListenSection(context).parse('postgres://a@localhost/b')).toEqual({ url: 'postgres://a@localhost/b', passwordFile: null });
    expect(storeListenSection(context).parse(undefined)).toBeNull();
    expect(storeListenSection(context).safeParse('sqlite:a.db').success).toBe(false);
  });
});

describe('a password in the file itself', () => {
  const places = (data: unknown): readonly Keys[] => {
    const found: Keys[] = [];
    reportPlainPasswords(data, (keys) => found.push(keys));
    return found;
  };

  it('is reported at each place', () => {
    const url = 'postgres://lictor:secret@db/lictor';
    expect(places({ store: url, store_listen: url })).toEqual([['store'], ['store_listen']]);
    expect(places({ store: { url }, store_listen: { url } })).toEqual([
      ['store', 'url'],
      ['store_listen', 'url'],
    ]);
  });

  it('is none where the environment has it, or nothing has it', () => {
    expect(places({ store: 'postgres://lictor:${PW}@db/lictor', store_listen: 'postgres://lictor@db/lictor' })).toEqual([]);
    expect(places({ store: 'sqlite:a:b@c.db' })).toEqual([]);
    expect(places(null)).toEqual([]);
  });
});
