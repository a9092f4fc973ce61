import { describe, expect, it } from 'vitest';
import { bareService } from '../../../config/service.fixture.ts';
import { answer, answering, PAGE, REFUSED } from './answers.fixture.ts';
import type { Probe, ProbeRequest } from './http-probe.ts';
import { checkServiceDoor } from './service-door.ts';

const publicUrl = { origin: 'https://prefect.example.com', basePath: '/prefect' };
const services = [bareService('billing', []), bareService('vault', [])];
const token = { headers: { 'x-lictor-token': 'lct_x' } };
const denies = ({ method }: ProbeRequest): Probe =>
  method === undefined ? answer(401, { code: 'credential-missing' }) : answer(403, { code: 'service-route-unknown' });

describe('calls of services at the door', () => {
  it('are denied without a credential, and to a principal that asks for an unlisted path', async () => {
    const asked: string[] = [];
    const probe = answering((request) => {
      asked.push(`${request.method ?? 'GET'} ${request.url} ${request.headers === undefined ? 'nobody' : 'known'}`);
      return denies(request);
    });
    expect(await checkServiceDoor({ publicUrl, probe }, services, token)).toMatchObject([{ status: 'ok', message: expect.stringContaining('billing, vault') }]);
    expect(asked.sort()).toEqual(
      ['billing', 'vault']
        .flatMap((name) => {
          const url = `https://prefect.example.com/prefect/.lictor/svc/${name}/lictor-doctor`;
          return [`GET ${url} nobody`, `REPORT ${url} known`];
        })
        .sort(),
    );
    expect(await checkServiceDoor({ publicUrl, probe: answering(denies) }, services, null)).toMatchObject([{ status: 'ok' }]);
    expect(await checkServiceDoor({ publicUrl, probe }, [], token)).toEqual([]);
  });

  it.each<[string, Probe, RegExp | null]>([
    ['arrives', answer(400, { code: 'socket-handshake' }), null],
    ['is dropped', answer(401, { code: 'credential-missing' }), /a proxy dropped the Upgrade header/],
    ['is not let through yet', answer(400, { code: 'service-upgrade' }), /allows no sockets/],
    ['meets another server', answer(400, {}), /answers 400 to an invalid WebSocket handshake/],
  ])('show for a service with sockets whether an Upgrade arrives: it %s', async (_what, said, says) => {
    const probe = answering((request) => (request.headers?.['upgrade'] === 'websocket' ? said : denies(request)));
    const [verdict] = await checkServiceDoor({ publicUrl, probe }, [bareService('live', [], { sockets: true })], token);
    expect(verdict).toMatchObject(says === null ? { status: 'ok' } : { status: 'fail', message: expect.stringMatching(says) });
    expect(await checkServiceDoor({ publicUrl, probe }, [bareService('live', [])], token)).toMatchObject([{ status: 'ok' }]);
  });

  it.each<[string, (request: ProbeRequest) => Probe, RegExp]>([
    ['bypass the gateway', () => answer(200, {}), /answers 200 without any credential/],
    ['meet a page', () => PAGE, /answers 200 without any credential/],
    ['bypass it for a principal with a credential', (request) => (request.method === undefined ? denies(request) : answer(200, {})), /REPORT .* answers 200/],
    [
      'are not known to the gateway yet',
      (request) => (request.method === undefined ? denies(request) : answer(404, { code: 'service-unknown' })),
      /does not know this service \(404 service-unknown\)/,
    ],
    ['lose their credential on the way', () => answer(401, { code: 'credential-missing' }), /answers 401 to a valid credential/],
    ['reach no server', () => REFUSED, /ECONNREFUSED/],
  ])('fail when they %s', async (_what, by, says) => {
    const [verdict, ...others] = await checkServiceDoor({ publicUrl, probe: answering(by) }, services.slice(0, 1), token);
    expect(verdict).toMatchObject({ status: 'fail', message: expect.stringMatching(says), remedy: expect.stringMatching(/\w+ \w+/) });
    expect(others).toEqual([]);
  });
});
