// Authentication, boundary, software, coverage, and what the report cannot show.
import { BUILT_IN_ROLES } from '../../../contract/roles.ts';
import { OUTSIDE, SUPPORTS } from '../controls.ts';
import type { Boundary, CertificateRow, EvidenceData } from '../data.ts';
import { type Block, count, day, minute, note, type Section, several, table } from '../document.ts';

export function authenticationSection({ gateway }: EvidenceData): Section {
  const { sessions } = gateway;
  const hours = (seconds: number) => `${Math.round((seconds / 3600) * 10) / 10} h`;
  return {
    id: 'authentication',
    title: 'How principals prove who they are',
    supports: SUPPORTS.authentication,
    lead: 'Lictor denies every request to Prefect without one of these, or a service token (section 5). How a provider authenticates people is evidence of that provider.',
    blocks: [
      ...table(
        ['Provider', 'Type', 'Issuer or metadata'],
        gateway.identity_providers.map(({ id, type, issuer }) => [id, type, issuer ?? '-']),
        {
          empty: 'There is no identity provider: only service tokens are accepted.',
        },
      ),
      {
        kind: 'facts',
        rows: [
          ['A browser session ends', `after ${hours(sessions.idle_seconds)} without a request, after ${hours(sessions.absolute_seconds)} in any case`],
          ['A command-line login ends', `after ${hours(sessions.command_line_seconds)} at most`],
        ],
      },
    ],
  };
}

export function boundarySection({ boundary }: EvidenceData): Section {
  const { upstream } = boundary;
  return {
    id: 'boundary',
    title: 'Boundary and transmission',
    supports: SUPPORTS.boundary,
    lead: 'Listeners and TLS by lictor.yaml, at the time of this report. Prefect never gets the credentials of clients, only the gateway\u2019s own.',
    blocks: [
      ...tlsNotes(boundary),
      {
        kind: 'facts',
        rows: [
          ['Listens on', boundary.listen.join(', ')],
          ...tlsFacts(boundary),
          ['Trusted proxies', boundary.trusted_proxies.length === 0 ? 'none' : boundary.trusted_proxies.join(', ')],
          ['Limits', boundary.limits.map(limitText).join('; ')],
          ['Allowed headers beside the built-in list', boundary.forwarded_headers.length === 0 ? 'none' : boundary.forwarded_headers.join(', ')],
          ['Prefect', upstream.servers.join(', ')],
          ['Own credential for Prefect', `${upstream.credential}${upstream.credential_since === null ? '' : `, written ${day(upstream.credential_since)}`}`],
        ],
      },
    ],
  };
}

function tlsNotes({ tls, upstream }: Boundary): readonly Block[] {
  const days = tls.certificate?.days_left ?? Number.POSITIVE_INFINITY;
  return [
    ...(tls.by === 'none' ? [note('warn', 'The gateway uses plain http, which is possible only on loopback.')] : []),
    ...(tls.by === 'proxy in front' ? [note('plain', 'A proxy in front terminates TLS: its settings are separate evidence.')] : []),
    ...(days < 21 ? [note('warn', `The certificate expires in ${several(Math.max(0, days), 'day')}.`)] : []),
    ...(upstream.servers.some((server) => server.startsWith('http:'))
      ? [note('plain', 'The connection to Prefect is plain http: Prefect must be on the same machine or a trusted network.')]
      : []),
  ];
}

function tlsFacts({ tls }: Boundary): readonly (readonly [string, string])[] {
  if (tls.by !== 'gateway') return [];
  return [
    ['TLS', `${tls.protocols.join(', ')}; ${tls.ciphers ?? ''}`],
    ['Strict-Transport-Security', tls.strict_transport_security ? 'sent' : 'not sent'],
    ['Certificate', certificateWords(tls.certificate)],
    [
      'Client certificates',
      tls.client_authority === null ? 'not requested' : `${certificateWords(tls.client_authority)}; revocation list: ${tls.revocation_list ? 'yes' : 'none'}`,
    ],
  ];
}

function certificateWords(certificate: CertificateRow | null): string {
  if (certificate === null) return 'could not be read';
  const { subject, issuer, valid_to: end, key, sha256 } = certificate;
  return `${subject}, by ${issuer}, ${key}, until ${day(end)}, SHA-256 ${sha256}`;
}

export function softwareSection({ gateway, events }: EvidenceData): Section {
  const { file_sha256: file, in_use_sha256: inUse } = gateway.configuration;
  const starts = events.filter(({ action }) => action === 'gateway.started');
  return {
    id: 'software',
    title: 'Software and configuration',
    supports: SUPPORTS.software,
    lead: 'Versions and configuration at the time of this report.',
    blocks: [
      {
        kind: 'facts',
        rows: [
          ['Lictor', gateway.lictor],
          ['nginx', gateway.nginx ?? 'not found on this machine'],
          ['Node', gateway.node],
          ['lictor.yaml, SHA-256', file ?? 'not there'],
          ['The copy in use, SHA-256', inUse ?? 'the gateway was not started here'],
          ['Starts in the period', `${count(starts.length)}${starts.length === 0 ? '' : `, the last ${minute(starts.at(-1)?.time ?? null)}`}`],
        ],
      },
      ...(file !== null && inUse !== null && file !== inUse
        ? [note('warn', 'lictor.yaml was changed after the gateway read it. This report has the settings of the file.')]
        : []),
    ],
  };
}

export function outsideSection({ limits }: EvidenceData): Section {
  return {
    id: 'outside',
    title: 'What this report cannot show',
    supports: null,
    lead: 'A gateway sees only the requests that pass it. A review also needs the following points, whose evidence is elsewhere. This report supports evidence for the criteria and controls that it names. An auditor decides whether they are met.',
    blocks: [
      ...table(
        ['Criteria and controls', 'Where their evidence is'],
        OUTSIDE.map((row) => [...row]),
        { empty: '-' },
      ),
      ...limits.map((text) => note('warn', text)),
    ],
  };
}

export function coverageSection({ coverage }: EvidenceData): Section {
  const ways = ['direct', 'mediated', 'socket', 'own', 'deny'].map((way) => [way, coverage.filter((route) => route.way === way).length] as const);
  return {
    id: 'coverage',
    title: 'Coverage: every route and every role',
    supports: SUPPORTS.coverage,
    lead: 'Every route and socket of Prefect that the gateway knows, with its action and the rights of each built-in role. Lictor denies every other route. "In part": the role may not use the route in general, but with certain bodies. Own policies (section 6) may add or remove rights.',
    blocks: [
      {
        kind: 'facts',
        rows: [
          ['Routes', count(coverage.length)],
          ['By path', ways.map(([way, routes]) => `${way} ${routes}`).join(', ')],
        ],
      },
      ...table(
        ['Role', 'Allowed', 'In part', 'Denied'],
        BUILT_IN_ROLES.map((role) => [
          role,
          ...(['yes', 'in part', '-'] as const).map((right) => count(coverage.filter(({ rights }) => rights[role] === right).length)),
        ]),
        { empty: '-', numbers: [1, 2, 3] },
      ),
      {
        kind: 'table',
        head: ['Route', 'Path', 'Action', ...BUILT_IN_ROLES],
        rows: coverage.map(({ method, path, way, action, rights }) => [`${method} ${path}`, way, action, ...BUILT_IN_ROLES.map((role) => rights[role] ?? '-')]),
        empty: '-',
        dense: true,
      },
    ],
  };
}

function limitText({ for: whose, per_second: perSecond, burst, concurrency }: Boundary['limits'][number]): string {
  const rate = perSecond === null ? [] : [`${perSecond} requests a second, ${burst} at once`];
  return `${whose === '*' ? 'each principal' : whose}: ${[...rate, ...(concurrency === null ? [] : [`${concurrency} in progress`])].join(', ')}`;
}
