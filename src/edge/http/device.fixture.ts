// For tests: a command line that logs in at the gateway, and the person who allows it.
import type { useOwnApp } from './own-app.fixture.ts';
import { HTML } from './own-app.fixture.ts';

type Own = Pick<ReturnType<typeof useOwnApp>, 'ask' | 'post' | 'get'>;
type Form = Readonly<Record<string, string>>;
type Json = Record<string, unknown>;

const DEVICE_GRANT = 'urn:ietf:params:oauth:grant-type:device_code';

export function deviceClient({ ask, post, get }: Own) {
  const form = async (path: string, fields: Form) =>
    post(`/.lictor/oauth/${path}`, { client_id: 'lictor-cli', ...fields }, { sameOrigin: false, headers: { accept: '*/*' } });
  const tokens = async (fields: Form): Promise<Json> => {
    const answer = await form('token', fields);
    return { statusCode: answer.statusCode, ...answer.json() };
  };
  const begin = (more: Form = {}) => form('device_authorization', more);
  const poll = (code: unknown, more: Form = {}) => tokens({ grant_type: DEVICE_GRANT, device_code: String(code), ...more });
  const page = (userCode: string, session: string) => ask(`/.lictor/device?user_code=${encodeURIComponent(userCode)}`, { session, headers: HTML });
  const fieldsOn = async (userCode: string, session: string): Promise<Form> => {
    const { body } = await page(userCode, session);
    return Object.fromEntries([...body.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)">/g)].map(([, name = '', value = '']) => [name, value]));
  };
  const allow = async (userCode: string, session: string, decision = 'allow') =>
    post('/.lictor/device', { ...(await fieldsOn(userCode, session)), decision }, { session });
  /** The whole login, up to the tokens. */
  const obtained = async (session: string, more: Form = {}): Promise<Json> => {
    const begun: Json = (await begin(more)).json();
    const done = await allow(String(begun['user_code']), session);
    if (done.statusCode !== 200) throw new Error(`${done.statusCode}: ${done.body.slice(-800)}`);
    get().test.advance(6000);
    return { ...begun, ...(await poll(begun['device_code'])) };
  };
  return {
    begin,
    poll,
    page,
    fieldsOn,
    allow,
    obtained,
    refresh: (token: unknown, more: Form = {}) => tokens({ grant_type: 'refresh_token', refresh_token: String(token), ...more }),
    revoke: (token: unknown) => form('revoke', { token: String(token) }),
    /** The principal of the token, or the reason for a rejection. */
    use: async (token: unknown): Promise<Json> =>
      (await ask('/.lictor/api/v1/me', { headers: { 'x-lictor-in-authorization': `Bearer ${String(token)}` } })).json(),
  };
}
