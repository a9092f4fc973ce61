import { useQuery } from '@tanstack/react-query';
import { useMe, whyNot } from '../../app/session.ts';
import { Button } from '../../parts/button.tsx';
import { type Column, DataTable } from '../../parts/data-table.tsx';
import { Time } from '../../parts/time.tsx';
import { UntrustedText } from '../../parts/untrusted-text.tsx';
import { useAsked } from './asked.ts';
import { Acts, Until } from './cells.tsx';
import { type AccessToken, accessTokensQuery } from './data.ts';
import { RowButtons } from './token-buttons.tsx';
import { shownColumns, useOpenDetail } from './use-open-detail.ts';
import { Who } from './who.tsx';

const COLUMNS: readonly Column<AccessToken>[] = [
  { name: 'who', title: 'Principal', cell: (token) => <Holder token={token} /> },
  { name: 'for', title: 'Exchanged for', cell: ({ given_for: proof }) => <UntrustedText text={proof} longest={80} /> },
  { name: 'since', title: 'Since', cell: ({ created_at: at }) => <Time iso={at} relative /> },
  { name: 'ends', title: 'Ends', cell: ({ expires_at: at }) => <Until at={at} /> },
  { name: 'do', title: '', cell: (token) => <RevokeButton token={token} /> },
];

/** Absent while there are none: most gateways have no exchange. */
export function AccessTokens() {
  const { data } = useQuery(accessTokensQuery);
  const { selected } = useOpenDetail();
  if (data === undefined || data.access_tokens.length === 0) return null;
  return (
    <>
      <h2>Exchanged access tokens</h2>
      <DataTable label="Exchanged access tokens" columns={shownColumns(COLUMNS, selected)} rows={data.access_tokens} keyOf={({ id }) => id} />
    </>
  );
}

function Holder({ token: { principal, on_behalf_of: others } }: { readonly token: AccessToken }) {
  return (
    <>
      <Who id={principal} />
      {others.length > 0 && <Acts others={others} />}
    </>
  );
}

function RevokeButton({ token: { id, principal } }: { readonly token: AccessToken }) {
  const { ask } = useAsked();
  return (
    <RowButtons>
      <Button
        small
        kind="quiet"
        whyNot={whyNot(useMe(), 'access.write')}
        label={`Revoke the access token of ${principal}`}
        onPress={() => ask('revoke-access', id)}
      >
        Revoke
      </Button>
    </RowButtons>
  );
}
