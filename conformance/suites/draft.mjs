// SPDX-License-Identifier: EUPL-1.2
// GraphQL over HTTP, draft of August 2026: what its text asks for and the audits of 2025 do not know yet.

import { same, so } from '../sheet.mjs';

const G = 'application/graphql-response+json';
const J = 'application/json';
const simple = { query: '{ __typename }' };
const withVariable = 'query($n: Int!) { cases(first: $n) { pageInfo { hasNextPage } } }';

export default async function draft(house, sheet) {
  async function ask({ method = 'POST', body, text = body && JSON.stringify(body), accept = G, type = method === 'GET' ? null : J, parameters }) {
    const url = parameters ? `${house.url}?${new URLSearchParams(parameters)}` : house.url;
    const headers = { accept, ...(type && { 'content-type': type }) };
    const response = await house.fetch(url, { method, headers, body: type ? text : text && new Blob([text]) });
    const answer = { status: response.status, allow: response.headers.get('allow') ?? '', text: await response.text() };
    const declared = response.headers.get('content-type') ?? '';
    answer.type = declared.split(';')[0].trim();
    answer.utf8 = /charset=utf-8/i.test(declared);
    try {
      answer.json = JSON.parse(answer.text);
    } catch {
      answer.json = null;
    }
    return answer;
  }

  /** One check: a request, and what its answer has to be like. */
  const answers = (name, request, want, further = () => {}) =>
    sheet.check(name, async () => {
      const answer = await ask(request);
      for (const [what, value] of Object.entries(want)) same(answer[what], value, what);
      further(answer);
    });
  const wellFormed = (a) => so(a.json && ('data' in a.json || Array.isArray(a.json.errors)), 'no GraphQL response');
  const noData = (a) => {
    wellFormed(a);
    so(!('data' in a.json), 'a refused request has data');
  };
  const refused = (a) => so(a.status >= 400 && a.status < 500, `status ${a.status}`);
  const notRun = (a) => {
    refused(a);
    so(!a.json?.data, 'it was carried out');
  };

  await answers('a success is 200, as what was asked for', { body: simple }, { status: 200, type: G }, wellFormed);
  await answers('the encoding is named', { body: simple }, { utf8: true });
  await answers('the type with the higher weight', { body: simple, accept: `${G};q=0.5, ${J};q=0.9` }, { status: 200, type: J });
  await answers('of equal weights one', { body: simple, accept: `${J}, ${G}` }, { status: 200 }, (a) => so([G, J].includes(a.type), a.type));
  await answers('what clients send', { body: simple, accept: `${G}, ${J};q=0.9` }, { status: 200, type: G });
  await answers('weight 0 is no', { body: simple, accept: `${G};q=0, ${J}` }, { status: 200, type: J });
  await answers('*/* is served', { body: simple, accept: '*/*' }, { status: 200 }, wellFormed);
  await answers('only text/html: 406', { body: simple, accept: 'text/html' }, { status: 406 });
  await answers('unknown parameters are ignored', { body: { ...simple, nonsense: 1 } }, { status: 200 });
  await answers('null is not given', { body: { ...simple, operationName: null, variables: null, extensions: null } }, { status: 200 });
  await answers('umlauts are read', { body: { query: '{ __typename } # Grüße aus Köln' } }, { status: 200 });

  await answers('half a JSON text: 400', { text: '{"query":' }, { status: 400 });
  await answers('no query: 422', { body: { qeury: '{ __typename }' } }, { status: 422 });
  await answers('a query that is no text: 422', { body: { query: 7 } }, { status: 422 });
  await answers('variables as a list: 422', { body: { ...simple, variables: [7] } }, { status: 422 });
  await answers('an operation name that is no text: 422', { body: { ...simple, operationName: 7 } }, { status: 422 });
  await answers('extensions that are no object: 422', { body: { ...simple, extensions: 'x' } }, { status: 422 });
  await answers('a batch is refused', { body: [simple, simple] }, {}, refused);

  await answers('an unreadable document: 400', { body: { query: '{' } }, { status: 400, type: G }, noData);
  await answers('an invalid document: 422', { body: { query: '{ no_such_field }' } }, { status: 422, type: G }, noData);
  await answers('two operations, no name: 422', { body: { query: 'query A { __typename } query B { __typename }' } }, { status: 422, type: G }, noData);
  await answers('an unknown operation: 422', { body: { query: 'query A { __typename }', operationName: 'B' } }, { status: 422, type: G }, noData);
  await answers('a variable of another type: 422', { body: { query: withVariable, variables: { n: 'x' } } }, { status: 422, type: G }, noData);
  await answers('a missing variable: 422', { body: { query: withVariable } }, { status: 422, type: G }, noData);
  await answers('data and errors together: 294', { body: { query: '{ __typename node(id: "none") { id } cases { totalCount } }' } }, { status: 294, type: G }, (a) =>
    so(a.json.data !== undefined && a.json.errors.length > 0, 'not both'),
  );
  await answers('who knows application/json alone gets it', { body: simple, accept: J }, { status: 200, type: J });
  await answers('and is not told 200 of a refusal', { body: { query: '{ no_such_field }' }, accept: J }, { status: 422, type: G });

  const mutation = { query: 'mutation { __typename }' };
  await answers('a mutation by GET is not carried out', { method: 'GET', parameters: mutation }, {}, notRun);
  await answers('a mutation by GET: 405, and how instead', { method: 'GET', parameters: mutation }, { status: 405 }, (a) => so(/POST/.test(a.allow), a.allow));
  await answers('a query by GET', { method: 'GET', parameters: simple }, { status: 200, type: G });
  await answers('GET: empty is not given', { method: 'GET', parameters: { ...simple, operationName: '', variables: '', extensions: '' } }, { status: 200 });
  await answers('GET: variables that are no JSON', { method: 'GET', parameters: { ...simple, variables: '{' } }, {}, refused);
  await answers('PATCH: 405, and what instead', { method: 'PATCH', body: simple }, { status: 405 }, (a) => so(a.allow, 'no Allow'));

  await answers('text/plain: 415', { body: simple, type: 'text/plain' }, { status: 415 });
  await answers('a form, as any page can send it: 415', { text: 'query=%7B__typename%7D', type: 'application/x-www-form-urlencoded' }, { status: 415 });
  await answers('another encoding: 415', { body: simple, type: `${J}; charset=iso-8859-1` }, { status: 415 });
  await answers('no content type', { body: simple, type: '' }, {}, refused);
  await answers('a URL of 200 kB: 414 or 431', { method: 'GET', parameters: { query: '#'.repeat(70_000) } }, {}, (a) => so([414, 431].includes(a.status), `${a.status}`));
  await answers('a body of 64 MB: 413', { body: { query: `{ __typename } #${'x'.repeat(64e6)}` } }, { status: 413 });
  await answers('a refusal does not repeat what was sent', { text: '{"query": "SECRET-a91" ' }, {}, (a) => so(!a.text.includes('SECRET-a91'), a.text));
}
