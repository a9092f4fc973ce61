// Announces new requests by webhook: a link for people, without arguments. It never delays a request.
import { setTimeout as sleep } from 'node:timers/promises';
import type { ApprovalRule, PublicUrl } from '../../config/config.ts';
import type { Clock } from '../../contract/clock.ts';
import { actionWords } from '../../prefect/catalog/action-words.ts';
import { createPost } from '../../record/sinks/post.ts';
import { signatureHeaders } from '../../record/sinks/webhook-signature.ts';
import type { StoredApproval } from '../../store/approvals.ts';
import { approvalUrl } from './approval-url.ts';

export interface Announcer {
  /** By the `notify` of this rule, if it has one. */
  announce(approval: StoredApproval, rule: string): void;
  /** Resolves when nothing is being sent. What waits is dropped. */
  close(): Promise<void>;
}

export interface AnnouncerParts {
  readonly rules: readonly Pick<ApprovalRule, 'name' | 'notify'>[];
  readonly publicUrl: Pick<PublicUrl, 'origin' | 'basePath'>;
  readonly clock: Clock;
  readonly onError: (error: unknown, approvalId: string) => void;
  /** Tests replace it. */
  readonly pause?: (ms: number, signal: AbortSignal) => Promise<unknown>;
}

/** A receiver that is away must not fill the memory. */
const MOST_WAITING = 100;
const TIMEOUT_MS = 10_000;
/** Before each further attempt. */
const WAITS_MS = [1_000, 10_000, 60_000];

export function createAnnouncer({ rules, publicUrl, clock, onError, pause = waitUnreferenced }: AnnouncerParts): Announcer {
  const closing = new AbortController();
  const posts = rules.flatMap(({ name, notify }) =>
    notify === null ? [] : [{ name, notify, post: createPost({ url: notify.webhook, ca: null, timeoutMs: TIMEOUT_MS, headers: {} }) }],
  );
  const sending = new Set<Promise<void>>();

  const attempt = async ({ notify: { secret }, post }: (typeof posts)[number], approval: StoredApproval): Promise<void> => {
    const body = JSON.stringify(announcementOf(approval, publicUrl));
    const signed = secret === null ? {} : signatureHeaders(secret, { id: approval.id, atMs: clock(), body });
    await post.send(body, { 'content-type': 'application/json', ...signed }, AbortSignal.any([closing.signal, AbortSignal.timeout(TIMEOUT_MS)]));
  };
  const deliver = async (target: (typeof posts)[number], approval: StoredApproval): Promise<void> => {
    for (const waitMs of [...WAITS_MS, null]) {
      try {
        return await attempt(target, approval);
      } catch (error) {
        if (waitMs === null || closing.signal.aborted) return onError(error, approval.id);
        await pause(waitMs, closing.signal).catch(() => undefined);
      }
    }
  };
  return {
    announce(approval, rule) {
      const target = posts.find(({ name }) => name === rule);
      if (target === undefined) return;
      if (sending.size >= MOST_WAITING) return onError(new Error('too many announcements wait'), approval.id);
      const delivery = deliver(target, approval).finally(() => sending.delete(delivery));
      sending.add(delivery);
    },
    async close() {
      closing.abort();
      await Promise.all(sending);
      await Promise.all(posts.map(({ post }) => post.close()));
    },
  };
}

function waitUnreferenced(ms: number, signal: AbortSignal): Promise<unknown> {
  return sleep(ms, undefined, { ref: false, signal });
}

/** `text` is for Slack and chats alike. The object is an argument, so only its kind is in it. */
function announcementOf(approval: StoredApproval, publicUrl: Pick<PublicUrl, 'origin' | 'basePath'>): Readonly<Record<string, unknown>> {
  const { id, requestedBy, onBehalfOf, action, resourceType, rule } = approval;
  const url = approvalUrl(publicUrl, id);
  const expiresAt = new Date(approval.expiresMs).toISOString();
  const who = [requestedBy, ...onBehalfOf].join(' for ');
  return {
    text: `${forSlack(who)} asks to ${actionWords(action)} (${action}). Decide before ${expiresAt}: ${url}`,
    type: 'approval.requested',
    ...{ approval_id: id, approval_url: url, requested_by: requestedBy, on_behalf_of: onBehalfOf, action, resource_type: resourceType, rule },
    expires_at: expiresAt,
  };
}

/** Names may have any letters: these begin links and mentions. */
function forSlack(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
