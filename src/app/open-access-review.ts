// The review of rights of one runtime: its thread has the policies of this runtime, and ends with it.
import { type AccessReview, createAccessReview } from '../authorization/explain/review/review.ts';
import type { OwnPolicies } from '../authorization/policy/own/check.ts';
import type { Config } from '../config/config.ts';
import { createLookup } from '../prefect/client/lookup.ts';
import type { Upstream } from '../prefect/client/upstream.ts';
import type { ProcessServices } from './process-services.ts';

interface Parts {
  readonly upstream: Upstream;
  readonly revision: number;
  readonly policies: OwnPolicies;
  readonly opened: AsyncDisposableStack;
}

export function openAccessReview({ paths }: Pick<ProcessServices, 'paths'>, config: Config, { upstream, revision, policies, opened }: Parts): AccessReview {
  const { publicUrl, services, forwardProxy, identityProviders, roles, agents, approvals, storeAt } = config;
  const review = createAccessReview({
    data: {
      config: { publicUrl, services, forwardProxy, identityProviders, roles, agents, approvals },
      own: { texts: policies.texts, sources: policies.sources },
      revision,
      ...{ storeAt, ledgerFile: paths.ledgerFile },
    },
    lookup: createLookup(upstream),
  });
  opened.defer(review.close);
  return review;
}
