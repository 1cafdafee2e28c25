// SPDX-License-Identifier: EUPL-1.2
// Loaded into servers of others before they start: wherever they listen, they listen on 127.0.0.1, on the port in FORCE_PORT.
const { Server } = require('node:net');
const { listen } = Server.prototype;
Server.prototype.listen = function onLoopback(...args) {
  return listen.call(this, { host: '127.0.0.1', port: Number(process.env.FORCE_PORT) }, args.find((a) => typeof a === 'function'));
};
