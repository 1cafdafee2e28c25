// SPDX-License-Identifier: EUPL-1.2
// GraphQL over HTTP, edition of 2025: the audits of the reference library graphql-http. What it only recommends has to hold, too.

import { serverAudits } from 'graphql-http';

export default async function http(house, sheet) {
  for (const audit of serverAudits({ url: house.url, fetchFn: house.fetch })) {
    const result = await audit.fn();
    sheet.note(`${audit.id} ${audit.name}`, result.status === 'ok', result.reason);
  }
}
