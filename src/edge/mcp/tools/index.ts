// All tools, in the order in which clients see them.
import type { Tool } from '../tool.ts';
import { getApproval } from './approval.ts';
import { getAutomations } from './automations.ts';
import { getDeployments, pauseSchedule, resumeSchedule, runDeployment } from './deployments.ts';
import { readEvents } from './events.ts';
import { explainAccess } from './explain-access.ts';
import { cancelFlowRun, getFlowRunLogs, getFlowRuns, pauseFlowRun, resumeFlowRun, retryFlowRun } from './flow-runs.ts';
import { getFlows } from './flows.ts';
import { getDashboard, getIdentity } from './overview.ts';
import { getTaskRuns } from './task-runs.ts';
import { getTimeline } from './timeline.ts';
import { getWorkPools } from './work-pools.ts';

export const TOOLS: readonly Tool[] = [
  getIdentity,
  getDashboard,
  getDeployments,
  getFlows,
  getFlowRuns,
  getFlowRunLogs,
  getTaskRuns,
  getWorkPools,
  readEvents,
  getAutomations,
  getTimeline,
  explainAccess,
  getApproval,
  runDeployment,
  cancelFlowRun,
  pauseFlowRun,
  resumeFlowRun,
  retryFlowRun,
  pauseSchedule,
  resumeSchedule,
];
