// The routes about principals and their credentials.
import type { ApiRoute } from '../api-route.ts';
import { accessTokens, revokeAccessToken } from './access-tokens.ts';
import { locks, removeLock, setLock } from './locks.ts';
import { groups, principalDetail, principals } from './principals.ts';
import { endMySession, endSession, logins, mySessions, sessions } from './sessions.ts';
import { closeSocket, liveSockets, sockets } from './sockets.ts';
import { createToken, revokeToken, rotateToken, tokens } from './tokens.ts';

export const IDENTITY_ROUTES: readonly ApiRoute[] = [
  ...[principals, principalDetail, groups],
  ...[tokens, createToken, rotateToken, revokeToken, accessTokens, revokeAccessToken],
  ...[sessions, logins, endSession, mySessions, endMySession],
  ...[sockets, liveSockets, closeSocket],
  ...[locks, setLock, removeLock],
];
