// The page of an approval.
import type { PublicUrl } from '../../config/config.ts';
import { OWN_PREFIX } from '../../contract/names.ts';

export function approvalUrl({ origin, basePath }: Pick<PublicUrl, 'origin' | 'basePath'>, id: string): string {
  return `${origin}${basePath}${OWN_PREFIX}approvals/${id}`;
}
