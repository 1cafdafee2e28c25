// SPDX-License-Identifier: EUPL-1.2
// Stands in for the client of Apollo's suite: addresses from the environment instead of fixed ports.
async function ask(url, request, headers = {}) {
  const response = await fetch(url, { method: 'POST', headers: { accept: 'application/json', 'content-type': 'application/json', ...headers }, body: JSON.stringify(request) });
  return response.ok && response.headers.get('content-type')?.startsWith('application/json') ? response.json() : response.text();
}
exports.graphqlRequest = ask;
exports.productsRequest = (request, headers) => ask(process.env.PRODUCTS_URL, request, headers);
exports.routerRequest = (request, headers) => ask(process.env.ROUTER_URL, request, headers);
