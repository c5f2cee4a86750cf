// autocannon.js - autocannon as a client of http_clients_server, at argv[2].
//
// SPDX-License-Identifier: MIT
'use strict';
const assert = require('assert');
const autocannon = require('autocannon');

const [, , origin, count] = process.argv;

// It leaves when a connection has sent its last request and counts none
// that are still in the pipe then, whatever the server.
async function fire(what) {
  const least = Number(count) - 16 * ((what.pipelining || 1) - 1);
  const result = await autocannon({
    url: origin + what.path, connections: 16, amount: Number(count),
    timeout: 60, ...what,
  });
  const { errors, timeouts, mismatches, non2xx, resets } = result;
  assert.deepStrictEqual({ errors, timeouts, mismatches, non2xx, resets },
    { errors: 0, timeouts: 0, mismatches: 0, non2xx: 0, resets: 0 });
  assert(result['2xx'] >= least, `${result['2xx']} answers`);
}

(async () => {
  await fire({ path: '/hello', expectBody: 'hello\n' });
  await fire({ path: '/hello', pipelining: 10, expectBody: 'hello\n' });
  await fire({ path: '/stream/3000', pipelining: 4 });
  await fire({
    path: '/echo', method: 'POST', body: 'some words', pipelining: 10,
    expectBody: 'some words',
  });
})().catch((error) => {
  console.error(error);
  process.exit(1);
});
