// Faults of Prefect and on the way to it.
import { createAuthority, type Issued } from '../../../env/authority.ts';
import { freePort } from '../../../env/free-port.ts';
import { sharedPrefect } from '../../../env/prefect.ts';
import { startProxy } from '../../../env/proxy.ts';
import { type Fault, type Planting, prefectAt, type Room, secretFile } from '../fault.ts';

const GUARDED = 'gateway:right-password\n';

export const PREFECT: readonly Fault[] = [
  {
    name: 'a wrong auth string',
    fails: ['upstream/credential'],
    says: /rejects the credential \(401\)/,
    plant: (room) => prefectAt(sharedPrefect().url, { auth_string_file: secretFile(room, 'wrong', 'gateway:no-such-password\n') }),
  },
  {
    name: 'no auth string where Prefect wants one',
    fails: ['upstream/credential'],
    says: /none is configured/,
    plant: () => prefectAt(sharedPrefect().url),
  },
  {
    name: 'a bypass: a Prefect without an auth string',
    fails: ['upstream/bypass'],
    says: /answers requests without any credential, so clients can bypass the gateway/,
    plant: ({ recorder }) => prefectAt(recorder.url),
  },
  {
    name: 'a Prefect that is down',
    fails: ['upstream/credential'],
    says: /cannot be reached: ECONNREFUSED/,
    plant: async () => prefectAt(`http://127.0.0.1:${await freePort()}`),
  },
  {
    name: 'one of two Prefect servers down',
    fails: ['upstream/credential'],
    says: /cannot be reached: ECONNREFUSED/,
    plant: async (room) => {
      const auth = secretFile(room, 'right', `${sharedPrefect().authString}\n`);
      return { config: { prefect: { servers: [sharedPrefect().url, `http://127.0.0.1:${await freePort()}`], auth_string_file: auth } } };
    },
  },
  {
    name: 'a page where Prefect should be',
    fails: ['upstream/credential'],
    says: /with a page/,
    plant: ({ recorder }) => {
      recorder.answerWith(() => ({ status: 200, headers: { 'content-type': 'text/html' }, body: '<!doctype html>' }));
      return prefectAt(recorder.url);
    },
  },
  {
    name: 'another API where Prefect should be',
    fails: ['upstream/credential'],
    says: /answers 404, which is not Prefect/,
    plant: ({ recorder }) => {
      recorder.answerWith(() => ({ status: 404, body: '{"error": "no such route"}' }));
      return prefectAt(recorder.url);
    },
  },
  {
    name: 'a clock of Prefect that is an hour ahead',
    fails: ['upstream/credential'],
    says: /clock of Prefect is 3[56]\d\d s ahead/,
    plant: (room) => {
      const date = new Date(Date.now() + 3_600_000).toUTCString();
      room.recorder.answerWith(({ target, headers }) =>
        headers['authorization'] !== undefined && target === '/api/admin/version'
          ? { status: 200, headers: { date }, body: '"3.9.1"' }
          : { status: 401, body: '{}' },
      );
      return prefectAt(room.recorder.url, { auth_string_file: secretFile(room, 'guarded', GUARDED) });
    },
  },
  {
    name: 'a Prefect that speaks TLS by an authority that nobody knows',
    fails: ['upstream/credential'],
    says: /certificate of Prefect .* is not trusted/,
    plant: (room) => overTls(room, {}),
  },
  {
    name: 'prefect.ca_file is another authority than the one that signed',
    fails: ['upstream/credential'],
    says: /certificate of Prefect .* is not trusted/,
    plant: (room) => overTls(room, { authority: 'another' }),
  },
  {
    name: 'an expired certificate of Prefect',
    fails: ['upstream/credential'],
    says: /certificate of Prefect .* has expired/,
    plant: (room) => overTls(room, { authority: 'own', days: -1 }),
  },
  {
    name: 'a certificate of Prefect for another name',
    fails: ['upstream/credential'],
    says: /certificate of Prefect .* is for another name/,
    plant: (room) => overTls(room, { authority: 'own', name: 'prefect.example.com' }),
  },
  {
    name: 'http in prefect.url where Prefect speaks TLS',
    fails: ['upstream/credential'],
    says: /cannot be reached/,
    plant: (room) => overTls(room, { scheme: 'http' }),
  },
];

interface Tls {
  /** Which authority prefect.ca_file names; none: the machine's. */
  readonly authority?: 'own' | 'another';
  readonly days?: number;
  readonly name?: string;
  readonly scheme?: 'http' | 'https';
}

/** The real Prefect behind a TLS proxy. */
async function overTls(room: Room, { authority, days = 30, name = 'localhost', scheme = 'https' }: Tls): Promise<Planting> {
  const signer = createAuthority();
  const other = authority === 'another' ? createAuthority() : undefined;
  const issued: Issued = signer.issue({ names: [name], days });
  const proxy = await startProxy({ to: sharedPrefect().url, tls: { cert: issued.chain, key: issued.key } });
  const undo = async () => {
    await proxy.close();
    signer.remove();
    other?.remove();
  };
  const ca = authority === undefined ? {} : { ca_file: (other ?? signer).root };
  const auth_string_file = secretFile(room, 'right', `${sharedPrefect().authString}\n`);
  return { ...prefectAt(proxy.url.replace('https:', `${scheme}:`), { auth_string_file, ...ca }), undo };
}
