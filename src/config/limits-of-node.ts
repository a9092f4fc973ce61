// Rates and numbers of `limits` hold for the whole gateway: each of several nodes enforces an equal part.
import type { Config, Limit } from './config.ts';

/** Rounded up, so that no node refuses everything: with more nodes than requests per second, the sum is higher than the limit. */
export function limitsOfNode<Limited extends Pick<Config, 'limits'>>(config: Limited, nodes: number): Limited {
  return nodes === 1 ? config : { ...config, limits: config.limits.map((limit) => partOf(limit, nodes)) };
}

function partOf({ rate, concurrency, ...limit }: Limit, nodes: number): Limit {
  const part = (whole: number): number => Math.ceil(whole / nodes);
  return {
    ...limit,
    rate: rate === null ? null : { perSecond: part(rate.perSecond), burst: part(rate.burst) },
    concurrency: concurrency === null ? null : part(concurrency),
  };
}
