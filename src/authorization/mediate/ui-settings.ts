// GET /ui-settings: Prefect's own answer, with the API on this origin and no login of its own.
import type { PublicUrl } from '../../config/config.ts';
import { renderStrict } from '../../contract/json/strict-json.ts';
import { answerObject } from '../../prefect/client/answer.ts';
import type { UpstreamAnswer } from '../../prefect/client/upstream.ts';
import { type Family, MEBIBYTE, planned } from './family.ts';

/** With `auth: "BASIC"` the UI would ask for Prefect's password although the gateway adds it. */
export function uiSettings(publicUrl: Pick<PublicUrl, 'basePath'>): Family {
  return {
    operations: ['ui:settings'],
    maxBytes: MEBIBYTE,
    plan: () => planned({ asks: [], intent: false, rewrite: () => undefined, reply: (answer) => ownSettings(answer, publicUrl.basePath) }),
  };
}

function ownSettings(answer: UpstreamAnswer, basePath: string): UpstreamAnswer {
  const settings = answer.status === 200 ? answerObject(answer) : null;
  if (settings === null) return answer;
  return { ...answer, body: renderStrict({ ...settings, api_url: `${basePath}/api`, auth: null }) };
}
