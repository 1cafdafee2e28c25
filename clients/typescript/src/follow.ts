// SPDX-License-Identifier: EUPL-1.2
// Follows a stream of events: connects, receives, waits, and comes back where it was.

import { createClient as createStreamClient } from 'graphql-sse';
import { createClient as createSocketClient } from 'graphql-ws';

/** A token, and when it expires where that is known. */
export interface Token {
  token: string;
  expiresAt?: Date;
}

export interface Options {
  /** Where the house speaks GraphQL, as https://ozg.example/graphql. */
  url: string;
  /** Gives a token. It is asked before each connection, and once more when four fifths of the time are over. */
  token: () => Token | Promise<Token>;
  /** A socket (graphql-transport-ws) where nothing is said. A new token goes into the open socket; an event stream is opened again instead. */
  transport?: 'socket' | 'event-stream';
  /** What makes sockets, where there is no WebSocket of the platform. */
  webSocketImpl?: unknown;
  /** What makes requests; fetch where nothing is said. */
  fetchFn?: typeof fetch;
  /** Milliseconds: a random time below first is waited before coming back, then below twice that, up to longest. 200 and 30,000 where nothing is said. */
  first?: number;
  longest?: number;
  /** How many milliseconds a connection may be without a frame; longer than the heartbeat. 45,000 where nothing is said. */
  silence?: number;
  /** Ends it. */
  signal?: AbortSignal;
}

export interface Subscription {
  /** A subscription with one field, a variable $after: EventCursor that is handed to it, and __typename in its selection. */
  query: string;
  /** All other variables. */
  variables?: Record<string, unknown>;
  /** Where to begin: behind this cursor; where there is none, with the first checkpoint that is told. */
  after?: string;
}

/** What happened. */
export interface Event<Frame = Record<string, unknown>> {
  /** Where it stands. It is the same whenever the event is told. */
  cursor: string;
  /** What was selected. */
  frame: Frame;
  /** Errors of fields that were refused. */
  errors: readonly unknown[];
}

/** Who is told. What event, gap or revoked throw ends it, and the position stays in front of what was not taken; they are waited for, one after the other. */
export interface Receiver<Frame = Record<string, unknown>> {
  /** Something happened. Each event is passed on once as long as the page or process lives. */
  event: (event: Event<Frame>) => void | Promise<void>;
  /** Something was missed that is kept no longer: what is had has to be read afresh. */
  gap: (resumeAt: string) => void | Promise<void>;
  /** Cases that have to be dropped; null: rights have become less, and everything has to be read afresh. */
  revoked: (caseIds: readonly string[] | null) => void | Promise<void>;
  /** Everything before the cursor was delivered. */
  checkpoint?: (cursor: string, caughtUp: boolean) => void;
  /** A connection ended; so many milliseconds are waited. */
  broken?: (why: unknown, wait: number) => void;
}

/** What the house says to a subscription that it will not accept the next time either. */
export class Refused extends Error {
  /** status is that of HTTP, or the close code of the socket; code and rule are those of the first error in the answer. */
  constructor(
    readonly status: number,
    readonly code: string,
    readonly rule: string,
  ) {
    super(`refused: ${status} ${code} ${rule}`);
  }

  /** Whether nobody was let in with the token: another one may do. */
  get unknown(): boolean {
    return [401, 4401, 4403].includes(this.status) || this.code === 'UNAUTHENTICATED';
  }

  /** Whether coming back is of no use. */
  get final(): boolean {
    if (!['', 'INTERNAL', 'UNAVAILABLE', 'QUOTA_EXCEEDED', 'UNAUTHENTICATED'].includes(this.code)) return true;
    if ([1002, 1003, 1009, 4400, 4406].includes(this.status)) return true;
    return this.status >= 400 && this.status < 500 && ![401, 408, 429].includes(this.status);
  }
}

/** How many tokens in a row may be refused. */
const mostUnknown = 3;

/** How many events are kept in mind, so that one that is told twice is passed on once. */
const rememberedCursors = 1024;

class TakenBadly extends Error {
  constructor(override readonly cause: unknown) {
    super('the receiver failed');
  }
}

/** Ends a connection that is opened again at once, with a new token. */
class Again extends Error {}

/** One answer, as both protocols bring it. */
interface Answer {
  data?: Record<string, unknown> | null;
  errors?: readonly { extensions?: { code?: string; rule?: string } }[];
  extensions?: Record<string, unknown>;
}

interface Sink {
  next: (answer: Answer) => void;
  error: (why: unknown) => void;
  complete: () => void;
}

interface Connection {
  /** Hands a new token in; where that cannot be done, there is none. */
  renew?: (token: string) => void;
  close: () => void;
}

/**
 * Tells a receiver what happens until the signal ends it or the subscription is complete, and gives the position that it has come to. It throws what the
 * receiver throws, and Refused where the house refuses it for good. Keep the cursor of the last event together with what was made of it: from there another
 * process goes on, at another replica too.
 */
export async function follow<Frame = Record<string, unknown>>(options: Options, subscription: Subscription, receiver: Receiver<Frame>): Promise<string | undefined> {
  const { first = 200, longest = 30_000, silence = 45_000, signal } = options;
  const seen = new Set<string>();
  let at = subscription.after;
  let heard = false; // something, over this connection

  const take = async ({ data, errors = [], extensions }: Answer) => {
    const frame = Object.values(data ?? {})[0] as { __typename: string; caughtUp?: boolean; caseIds?: readonly string[] | null } | null | undefined;
    if (!frame) throw refusedBy(0, errors);
    heard = true;
    const cursor = String(extensions?.['eventCursor'] ?? '');
    try {
      switch (frame.__typename) {
        case 'StreamCheckpoint':
          receiver.checkpoint?.(cursor, frame.caughtUp === true);
          break;
        case 'StreamGap':
          await receiver.gap(cursor);
          break;
        case 'StreamRevocation':
          await receiver.revoked(frame.caseIds ?? null);
          break;
        default:
          if (seen.has(cursor)) break;
          await receiver.event({ cursor, frame: frame as Frame, errors });
          seen.add(cursor);
          if (seen.size > rememberedCursors) seen.delete(seen.values().next().value as string);
      }
    } catch (why) {
      throw new TakenBadly(why);
    }
    if (cursor) at = cursor;
  };

  for (let waits = 0, unknown = 0; !signal?.aborted; waits++) {
    heard = false;
    try {
      await connect(options, silence, () => ({ ...subscription, variables: { ...subscription.variables, after: at ?? null } }), take);
      return at;
    } catch (why) {
      if (signal?.aborted) break;
      if (why instanceof TakenBadly) throw why.cause;
      if (why instanceof Again) {
        waits = -1;
        continue;
      }
      const refused = refusalIn(why);
      if (refused?.final) throw refused;
      if (heard) waits = unknown = 0;
      if (refused?.unknown && ++unknown === mostUnknown) throw refused;
      const wait = Math.random() * Math.min(longest, first * 2 ** Math.min(waits, 20));
      receiver.broken?.(why, wait);
      await pause(wait, signal);
    }
  }
  return at;
}

/** One connection. It resolves when the subscription is complete, and fails in every other way. */
async function connect(options: Options, silence: number, request: () => { query: string; variables: Record<string, unknown> }, take: (a: Answer) => Promise<void>) {
  const asked = Date.now();
  const { token, expiresAt } = await options.token();
  let connection: Connection | undefined;
  let silent: ReturnType<typeof setTimeout> | undefined;
  let renewal: ReturnType<typeof setTimeout> | undefined;
  let stop = () => {};
  try {
    await new Promise<void>((complete, failed) => {
      let taken = Promise.resolve(); // one after the other
      let over = false; // a receiver that is slow is not told more of a connection that has ended: it comes again
      const end = (why: unknown) => {
        over = true;
        failed(why);
      };
      stop = () => end(new Error('stopped'));
      options.signal?.addEventListener('abort', stop);
      const listen = () => {
        clearTimeout(silent);
        silent = setTimeout(() => end(new Error('nothing was heard for too long')), silence);
      };
      const plan = (from: number, until?: Date) => {
        if (!until) return;
        renewal = setTimeout(
          () => {
            if (!connection?.renew) return end(new Again());
            const now = Date.now();
            Promise.resolve(options.token()).then((next) => {
              connection?.renew?.(next.token);
              plan(now, next.expiresAt);
            }, end);
          },
          Math.max(0, from + (until.getTime() - from) * 0.8 - Date.now()),
        );
      };
      const sink: Sink = {
        next: (answer) => {
          listen();
          taken = taken.then(() => (over ? undefined : take(answer)));
          taken.catch(end);
        },
        error: (why) => void taken.then(() => end(why), end),
        complete: () => void taken.then(complete, end),
      };
      listen();
      connection = (options.transport === 'event-stream' ? overEventStream : overSocket)(options, token, request(), sink);
      plan(asked, expiresAt);
    });
  } finally {
    clearTimeout(silent);
    clearTimeout(renewal);
    options.signal?.removeEventListener('abort', stop);
    connection?.close();
  }
}

type Request = { query: string; variables: Record<string, unknown> };

function overSocket(options: Options, token: string, request: Request, sink: Sink): Connection {
  let socket: WebSocket | undefined;
  const client = createSocketClient({
    url: options.url.replace(/^http/, 'ws'),
    webSocketImpl: options.webSocketImpl,
    connectionParams: { Authorization: `Bearer ${token}` },
    retryAttempts: 0,
    on: { opened: (s) => (socket = s as WebSocket) },
    onNonLazyError: () => {}, // it is told to the sink
  });
  const unsubscribe = client.subscribe(request, sink as never);
  return {
    renew: (next) => socket?.send(JSON.stringify({ type: 'ping', payload: { Authorization: `Bearer ${next}` } })),
    close: () => {
      unsubscribe();
      Promise.resolve(client.dispose()).catch(() => {}); // what was still connecting has failed
    },
  };
}

function overEventStream(options: Options, token: string, request: Request, sink: Sink): Connection {
  const client = createStreamClient({
    url: options.url,
    headers: { authorization: `Bearer ${token}` },
    retryAttempts: 0,
    ...(options.fetchFn && { fetchFn: options.fetchFn }),
  });
  const unsubscribe = client.subscribe(request, sink as never);
  return {
    close: () => {
      unsubscribe();
      client.dispose();
    },
  };
}

function refusedBy(status: number, errors: Answer['errors']): Refused {
  const { code = '', rule = '' } = errors?.[0]?.extensions ?? {};
  return new Refused(status, code, rule);
}

/** The refusal in what a protocol fails with: errors, the close code of a socket, or an answer of HTTP. */
function refusalIn(why: unknown): Refused | undefined {
  if (why instanceof Refused) return why;
  if (Array.isArray(why)) return refusedBy(0, why);
  const { code, response } = (why ?? {}) as { code?: unknown; response?: { status?: number } };
  if (typeof code === 'number') return new Refused(code, '', '');
  if (typeof response?.status === 'number') return new Refused(response.status, '', '');
  return undefined;
}

function pause(milliseconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((go) => {
    const timer = setTimeout(done, milliseconds);
    function done() {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      go();
    }
    signal?.addEventListener('abort', done);
  });
}
