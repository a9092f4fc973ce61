// Joiners and leavers, and the age of service tokens.
import { SUPPORTS } from '../controls.ts';
import type { EvidenceData, TokenRow } from '../data.ts';
import { day, minute, note, type Section, several, table } from '../document.ts';

export function lifecycleSection({ joiners, leavers }: EvidenceData): Section {
  const late = leavers.filter(({ let_in_after: after }) => after);
  return {
    id: 'lifecycle',
    title: 'Joiners and leavers',
    supports: SUPPORTS.lifecycle,
    lead: 'Accounts, tokens, command-line logins and people of identity providers that were added or removed in the period. Each leaver has the time of its last allowed request. A cached decision lives for at most two seconds, so every later request is reported.',
    blocks: [
      ...table(
        ['Time (UTC)', 'What', 'Who', 'By'],
        joiners.map((row) => [minute(row.time), row.what, row.who, row.by ?? '-']),
        { empty: 'Nothing was added in the period.' },
      ),
      ...table(
        ['Time (UTC)', 'What', 'Who', 'By', 'Last allowed request'],
        leavers.map((row) => [
          minute(row.time),
          row.what,
          row.who,
          row.by ?? '-',
          row.last_allowed === null ? 'not in the period' : row.last_allowed.slice(0, 19).replace('T', ' '),
        ]),
        { empty: 'Nothing was removed, revoked or locked in the period.' },
      ),
      ...(late.length > 0
        ? [
            note(
              'bad',
              `${several(late.length, 'leaver')} had an allowed request after that, although no record gave the right back: ${late.map(({ who }) => who).join(', ')}.`,
            ),
          ]
        : [note('good', leavers.length === 0 ? 'There were no leavers.' : 'No leaver had an allowed request afterwards.')]),
    ],
  };
}

export function tokensSection({ tokens }: EvidenceData): Section {
  const noted = tokens.filter(({ remarks }) => remarks.length > 0);
  return {
    id: 'tokens',
    title: 'Service tokens: age and rotation',
    supports: SUPPORTS.tokens,
    lead: 'Every service token that was valid at some time of the period. Lictor stores only hashes, so no report can show a token. "Secret since" is its creation or its last rotation. During a rotation, two secrets are valid.',
    blocks: [
      ...table(['Token', 'State', 'Roles', 'On', 'Created', 'Secret since', 'Expires', 'Last used', 'Rotations'], tokens.map(tokenRow), {
        empty: 'There are no service tokens.',
        numbers: [8],
      }),
      ...table(
        ['Token', 'For a reviewer'],
        noted.map(({ name, remarks }) => [name, remarks.join('; ')]),
        { empty: 'No valid token needs attention.' },
      ),
    ],
  };
}

function tokenRow(token: TokenRow): readonly string[] {
  return [
    token.name,
    token.status,
    token.roles.join(', '),
    token.scope ?? 'everything',
    `${day(token.created)} (${token.age_days} d)`,
    token.secret_since === null ? '-' : `${day(token.secret_since)} (${token.secret_age_days ?? 0} d)`,
    token.expires === null ? 'never' : day(token.expires),
    minute(token.last_used),
    String(token.rotations_in_period),
  ];
}
