// For tests: questions about rights answered without a thread, on the store of the test. Prefect has the given objects.

import { type Explainer, openExplainer } from '../../../../authorization/explain/open.ts';
import { type AnswerParts, answerQuestion } from '../../../../authorization/explain/review/answer.ts';
import type { Question, ReviewData } from '../../../../authorization/explain/review/protocol.ts';
import type { Lookup } from '../../../../authorization/mediate/handler.ts';
import type { PolicyTexts } from '../../../../authorization/policy/policies.ts';
import { sourcesOf } from '../../../../authorization/policy/sources.ts';
import { createUseCounts } from '../../../../record/ledger/allowed-uses.ts';
import type { Store } from '../../../../store/store.ts';
import type { OwnAppParts } from '../../parts.ts';

interface Given {
  readonly config: Pick<ReviewData['config'], 'publicUrl' | 'identityProviders' | 'roles' | 'agents'> & Partial<ReviewData['config']>;
  readonly store: Store;
  readonly ledgerFile: string;
  readonly lookup?: Lookup | undefined;
  readonly own?: PolicyTexts | undefined;
}

export function reviewWithoutThread(given: Given): OwnAppParts['accessReview'] {
  let explainer: Explainer | undefined;
  const config = { services: [], forwardProxy: null, approvals: [], ...given.config };
  const own = given.own ?? {};
  const sources = new Map(Object.entries(own).flatMap(([id, text]) => sourcesOf(`@id("${id}")\n${text}`, 'own.cedar')));
  const store = async () => given.store;
  return {
    async ask(kind, question) {
      explainer ??= openExplainer({ config, own: { texts: own, sources }, revision: 7, lookup: given.lookup ?? (async () => null), store, storeIfAny: store });
      const parts: AnswerParts = { ...explainer, config, ledgerFile: given.ledgerFile, uses: createUseCounts(given.ledgerFile) };
      // Each kind of question has its kind of answer.
      return (await answerQuestion(parts, { kind, ...question } as unknown as Question)) as never;
    },
  };
}
