// Faults between users and the gateway: balancers, login proxies, and a public_url that leads elsewhere.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { freePort } from '../../../env/free-port.ts';
import { sharedPrefect } from '../../../env/prefect.ts';
import { between, type Fault, type Planting, type Room, SOCKETS } from '../fault.ts';

export const BETWEEN: readonly Fault[] = [
  {
    name: 'a proxy that leads calls of a service past the gateway',
    fails: ['public-url/services'],
    says: /svc\/billing\/lictor-doctor answers 200 without any credential/,
    plant: async (room) => withService(room, await between(room, { answers: below('/.lictor/svc/billing', (response) => response.end('{}')) })),
  },
  {
    name: 'a service that the running gateway has not read yet',
    fails: ['public-url/services'],
    says: /does not know this service/,
    plant: (room) => withService(room, {}),
  },
  {
    name: 'a balancer that strips Upgrade',
    fails: SOCKETS,
    says: /dropped the Upgrade header/,
    plant: (room) => between(room, { stripsUpgrade: true }),
  },
  {
    name: 'a balancer that ends sockets as soon as they are open',
    fails: SOCKETS,
    says: /does not open with Authorization: Bearer: closed with 1006/,
    plant: (room) => between(room, { endsSockets: true }),
  },
  {
    name: 'a proxy that drops X-Lictor-Token',
    fails: ['public-url/ui-settings', ...SOCKETS],
    says: /does not open with X-Lictor-Token/,
    plant: (room) => between(room, { drops: ['x-lictor-token'] }),
  },
  {
    name: 'a proxy that drops Authorization',
    fails: SOCKETS,
    says: /does not open with Authorization: Basic: 401/,
    plant: (room) => between(room, { drops: ['authorization'] }),
  },
  {
    name: 'a proxy that drops the sub-protocol of sockets',
    fails: SOCKETS,
    says: /does not open with the first frame/,
    plant: (room) => between(room, { drops: ['sec-websocket-protocol'] }),
  },
  {
    name: 'a proxy that puts a credential of its own on every request',
    fails: ['public-url/refusal', ...SOCKETS],
    says: /answers without any credential/,
    plant: async (room) => {
      const { secret } = await room.gateway.token('proxy', ['viewer', 'worker']);
      return between(room, { adds: { 'x-lictor-token': secret } });
    },
  },
  {
    name: 'the clock of public_url an hour behind',
    fails: ['public-url/health'],
    says: /clock of public_url is 3[56]\d\d s behind/,
    plant: (room) => between(room, { sets: { date: new Date(Date.now() - 3_600_000).toUTCString() } }),
  },
  {
    name: 'a login proxy that redirects programs',
    fails: ['public-url/refusal'],
    says: /redirected to https:\/\/sso.example\//,
    plant: (room) => between(room, { answers: below('/api', (response) => response.writeHead(302, { location: 'https://sso.example/' }).end()) }),
  },
  {
    name: 'a page in place of the API',
    fails: ['public-url/refusal'],
    says: /a page where the API should be/,
    plant: (room) => between(room, { answers: below('/api', page) }),
  },
  {
    name: 'a page in place of the API, for browsers only',
    fails: ['public-url/refusal'],
    says: /a page where the API should be/,
    plant: (room) => between(room, { answers: (request, response) => request.headers.accept === 'text/html' && below('/api', page)(request, response) }),
  },
  {
    name: "a proxy with its own page in place of the gateway's errors",
    fails: ['public-url/refusal'],
    says: /answers 401 with a page/,
    plant: (room) => between(room, { answers: below('/api', (response) => response.writeHead(401, { 'content-type': 'text/html' }).end('<html>')) }),
  },
  {
    name: 'a proxy that asks for a password of its own',
    fails: ['public-url/refusal'],
    says: /401, but not with the gateway's JSON/,
    plant: (room) => between(room, { answers: below('/api', (response) => response.writeHead(401, { 'www-authenticate': 'Basic realm="staff"' }).end('no')) }),
  },
  {
    name: 'a proxy that sends the UI elsewhere',
    fails: ['public-url/ui-settings'],
    says: /uses the API at http:\/\/prefect.internal:4200\/api/,
    plant: (room) => between(room, { answers: onPath('/ui-settings', '{"api_url": "http://prefect.internal:4200/api"}') }),
  },
  {
    name: 'a proxy that does not pass /.lictor/ on',
    fails: ['public-url/health', 'public-url/ready'],
    says: /\.lictor\/health answers 200 with a page, which is not this gateway/,
    plant: (room) => between(room, { answers: below('/.lictor/', page) }),
  },
  {
    name: 'a public_url that leads nowhere',
    fails: ['public-url/health', 'public-url/ready', 'public-url/refusal', 'public-url/ui-settings', ...SOCKETS],
    says: /\.lictor\/health cannot be reached: ECONNREFUSED/,
    plant: async () => ({ config: { public_url: `http://localhost:${await freePort()}` } }),
  },
  {
    name: 'a public_url that leads to Prefect, past the gateway',
    fails: ['public-url/health', 'public-url/ready', 'public-url/refusal', 'public-url/ui-settings', ...SOCKETS],
    says: /401, but not with the gateway's JSON/,
    plant: (room) => between(room, { to: sharedPrefect().url }),
  },
  {
    name: 'a public_url that leads to a Prefect without a password',
    fails: ['public-url/health', 'public-url/ready', 'public-url/refusal', 'public-url/ui-settings', ...SOCKETS],
    says: /answers without any credential/,
    plant: ({ recorder }) => ({ config: { public_url: recorder.url.replace('127.0.0.1', 'localhost') } }),
  },
];

type Answers = (request: IncomingMessage, response: ServerResponse) => boolean;

/** Answers every path that begins so, but no sockets. */
function below(start: string, answer: (response: ServerResponse) => unknown): Answers {
  return (request, response) => {
    if (request.url?.startsWith(start) !== true) return false;
    answer(response);
    return true;
  };
}

function onPath(path: string, json: string): Answers {
  return (request, response) => {
    if (request.url !== path) return false;
    response.writeHead(200, { 'content-type': 'application/json' }).end(json);
    return true;
  };
}

function page(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><title>UI</title>');
}

/** In what doctor reads. */
function withService({ recorder }: Room, planting: Planting): Planting {
  return { ...planting, config: { ...planting.config, services: [{ name: 'billing', servers: [recorder.url] }] } };
}
