// The shapes of the admin API for policies.
import type { paths } from '../../api/schema.d.ts';

type Get<P extends keyof paths> = paths[P] extends { get: { responses: { 200: { content: { 'application/json': infer Body } } } } } ? Body : never;
type Post<P extends keyof paths> = paths[P] extends { post: { responses: { 200: { content: { 'application/json': infer Body } } } } } ? Body : never;
type Line = paths['/policies/simulate']['post']['responses'][200]['content']['application/x-ndjson'];

export type Policies = Get<'/policies'>;
export type PolicySetHead = Get<'/policies/history'>['sets'][number];
export type Report = Post<'/policies/check'>;
export type DraftProblem = Report['problems'][number];
export type VectorOutcome = Report['vectors'][number];
export type FilePatch = Report['patches'][number];
export type Simulation = Extract<Line, { simulation: unknown }>['simulation'];
export type ChangeGroup = Simulation['changes'][number];
