// SPDX-License-Identifier: EUPL-1.2
// A house to be examined: the real binary with a database of its own, as a client sees it.

import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { buildClientSchema, getIntrospectionQuery, printSchema } from 'graphql';

const COMMENT = 'mutation($input: CommentOnCaseInput!) { commentOnCase(input: $input) { problems { ... on Problem { title } } } }';

export class House {
  /** Opens a house whose data lie in a folder; profile is the edition of GraphQL over HTTP that it keeps to. */
  static async open(binary, folder, profile) {
    const house = new House();
    house.binary = binary;
    house.folder = folder;
    house.process = spawn(binary, ['dev'], {
      env: { PATH: process.env.PATH, HOME: process.env.HOME, OZG_LISTEN: '127.0.0.1:0', OZG_DATA: folder, OZG_HTTP_PROFILE: profile, OZG_DRAIN_SECONDS: '0' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    house.gone = once(house.process, 'exit');
    house.said = [];
    createInterface(house.process.stderr).on('line', (line) => (house.said = [...house.said, line].slice(-20)));
    const address = await Promise.race([addressIn(house.process.stdout), house.gone.then(() => null)]);
    if (!address) throw new Error(`the house did not open:\n${house.said.join('\n')}`);
    house.url = `${address}/graphql`;
    house.socketUrl = house.url.replace('http:', 'ws:');
    house.address = address;
    await house.signIn('kiel-caseworker');
    await house.lookAtStreams();
    return house;
  }

  /** Signs in as somebody of development; until the next time, fetch is theirs. */
  async signIn(name) {
    this.token = await tokenOf(this.address, name);
    this.headers = { authorization: `Bearer ${this.token}` };
    this.fetch = (url, init = {}) => {
      const headers = new Headers(init.headers);
      headers.set('authorization', this.headers.authorization);
      return fetch(url, { ...init, headers });
    };
  }

  /** The same house, as somebody else sees it. */
  async as(name) {
    const other = Object.assign(new House(), this);
    await other.signIn(name);
    return other;
  }

  /** Has the console do something beside the running house, and gives what it prints; throws what it complains of. */
  console(...args) {
    try {
      return execFileSync(this.binary, args, { env: { PATH: process.env.PATH, HOME: process.env.HOME, OZG_DATA: this.folder }, encoding: 'utf8', stdio: 'pipe' });
    } catch (e) {
      throw new Error(e.stderr);
    }
  }

  /**
   * Finds out about the streams of events: finite is a subscription that tells of some events and ends, endless one that begins with a
   * checkpoint and lasts.
   */
  async lookAtStreams() {
    const { newest } = (await this.ask('{ caseEvents(first: 0) { newest } }')).caseEvents;
    await this.happen(3);
    // An event is told once every transaction has ended that is older, and on a busy machine one of the house's own may take a while.
    const told = async () => (await this.ask(`{ caseEvents(after: "${newest}", first: 3) { nodes { cursor } } }`)).caseEvents.nodes.length;
    for (let tries = 0; (await told()) < 3; tries++) {
      if (tries === 100) throw new Error('the events are not told');
      await new Promise((done) => setTimeout(done, 100));
    }
    const frame = '{ __typename ... on CaseEvent { cursor type caseId } }';
    this.streams = {
      finite: `subscription { caseEvents(after: "${newest}", follow: false) ${frame} }`,
      endless: `subscription { caseEvents ${frame} }`,
    };
  }

  /** Makes some events happen: notes on a case. */
  async happen(count) {
    const { id, revision } = (await this.ask('{ cases(first: 1, where: {state: [NEW]}) { nodes { id revision } } }')).cases.nodes[0];
    for (let i = 0; i < count; i++) {
      const input = { caseId: id, expectedRevision: revision + i, body: 'Rückruf am Vormittag' };
      const { problems } = (await this.ask(COMMENT, { input })).commentOnCase;
      if (problems.length > 0) throw new Error(problems[0].title);
    }
  }

  /** Has the console look at a manifest of trusted documents for a tenant, if any; throws what is wrong with it. */
  examineManifest(file, tenant) {
    this.console('documents', 'check', ...(tenant ? ['--tenant', tenant] : []), file);
  }

  /** Stops the house and waits until it is gone. */
  async close() {
    this.process.kill('SIGTERM');
    await this.gone;
  }

  /** Asks one operation and gives its data; errors are thrown. */
  async ask(query, variables) {
    const response = await this.fetch(this.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/graphql-response+json' },
      body: JSON.stringify({ query, variables }),
    });
    const { data, errors } = await response.json();
    if (errors) throw new Error(`HTTP ${response.status}: ${JSON.stringify(errors)}`);
    return data;
  }

  /** The contract of a tenant as it can be downloaded, whole, with its directives; without a tenant that of the standard house. */
  async contractAsPublished(tenant) {
    const get = tenant ? this.fetch : fetch;
    return (await get(this.url.replace(/graphql$/, 'schema.graphql'))).text();
  }

  /** The contract of who is signed in, as a client reads it by introspection. */
  async contract() {
    const query = getIntrospectionQuery({ specifiedByUrl: true, directiveIsRepeatable: true, inputValueDeprecation: true, oneOf: true });
    return printSchema(buildClientSchema(await this.ask(query)));
  }
}

async function addressIn(output) {
  for await (const line of createInterface(output)) {
    const found = /open at (http:\S+)/.exec(line);
    if (found) {
      output.resume(); // the rest is for people
      return found[1];
    }
  }
  return null;
}

async function tokenOf(address, name) {
  const response = await fetch(`${address}/dev/token`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name }),
  });
  return (await response.json()).token;
}
