import { isRole, roleTodayWords } from './policy-words.ts';
import { UntrustedText } from './untrusted-text.tsx';
import { useRevisited } from './use-revisited.ts';

interface RolesTodayProps {
  readonly requestId: string;
  /** Those that decided then. */
  readonly policies: readonly string[];
}

/** On what the roles that allowed a request hold now: no record has their scopes. Nothing for a reader who may not see the roles of others. */
export function RolesToday({ requestId, policies }: RolesTodayProps) {
  const names = policies.filter(isRole);
  return names.length === 0 ? null : <Sentences requestId={requestId} policies={names} />;
}

function Sentences({ requestId, policies }: RolesTodayProps) {
  const principal = useRevisited(requestId).data?.now?.explanation.principal;
  return principal === undefined ? null : <UntrustedText text={policies.map((name) => roleTodayWords(name, principal)).join(' ')} longest={400} />;
}
