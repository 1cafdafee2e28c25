// SPDX-License-Identifier: EUPL-1.2

// What the page asks of its own server. A token goes into a header and nowhere else: no address, no storage, no log.

const json = { 'Content-Type': 'application/json' };

// ask sends an operation as whoever the token names and gives the answer as it came. What is no JSON is told as an error of GraphQL.
export async function ask(token, operation, headers = {}) {
  const answer = await post('/graphql', operation, {
    Accept: 'application/graphql-response+json, application/json;q=0.9',
    ...(token && { Authorization: `Bearer ${token}` }),
    ...headers,
  });
  try {
    return await answer.json();
  } catch {
    return { errors: [{ message: `HTTP ${answer.status}` }] };
  }
}

// principals lists the demo principals; none where the house has no such door.
export async function principals() {
  const answer = await fetch('/dev/principals', { credentials: 'omit' });
  return answer.ok ? answer.json() : [];
}

// tokenOf gets a token for a demo principal.
export async function tokenOf(name) {
  const answer = await post('/dev/token', { name });
  if (!answer.ok) throw new Error(`HTTP ${answer.status}`);
  return (await answer.json()).token;
}

function post(path, body, headers) {
  return fetch(path, { method: 'POST', credentials: 'omit', headers: { ...json, ...headers }, body: JSON.stringify(body) });
}
