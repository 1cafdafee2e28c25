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
    house.token = await tokenOf(address, 'kiel-caseworker');
    house.headers = { authorization: `Bearer ${house.token}` };
    // fetch as who is signed in
    house.fetch = (url, init = {}) => {
      const headers = new Headers(init.headers);
      headers.set('authorization', house.headers.authorization);
      return fetch(url, { ...init, headers });
    };
    await house.lookAtStreams();
    return house;
  }

  /**
   * Finds out about the streams of events: finite is a subscription that tells of some events and ends, endless one that begins with a
   * checkpoint and lasts.
   */
  async lookAtStreams() {
    const { newest } = (await this.ask('{ caseEvents(first: 0) { newest } }')).caseEvents;
    await this.happen(3);
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

  /** The tenant whose extension fields are in the contract of who is signed in. */
  tenant = 'sh';

  /** Has the console look at a manifest of documents that a client of the tenant is trusted with; throws what is wrong with it. */
  examineManifest(file) {
    const env = { PATH: process.env.PATH, HOME: process.env.HOME, OZG_DATA: this.folder };
    try {
      execFileSync(this.binary, ['documents', 'check', '--tenant', this.tenant, file], { env, encoding: 'utf8', stdio: 'pipe' });
    } catch (e) {
      throw new Error(e.stderr);
    }
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

  /** The contract of the tenant, as it can be downloaded: whole, with its directives. */
  async contractAsPublished() {
    return (await this.fetch(this.url.replace(/graphql$/, 'schema.graphql'))).text();
  }

  /** The contract of the standard house, as whoever has not signed in can download it. */
  async standardContract() {
    return (await fetch(this.url.replace(/graphql$/, 'schema.graphql'))).text();
  }

  /** The contract, as a client reads it by introspection. */
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
