// undici.js - undici as a client of http_clients_server, at argv[2]; argv[3] is
// how many requests to make of those that are made many times.
//
// SPDX-License-Identifier: MIT
'use strict';
const assert = require('assert');
const { Readable } = require('stream');
const { Agent, Client, Pool } = require('undici');

const [, , origin, count] = process.argv;
const many = Number(count);
const period = Buffer.alloc(65536, 0).map((_, i) => (i * i) >> 8);

function pattern(size) {
  const out = Buffer.alloc(size);
  for (let at = 0; at < size; at += period.length)
    period.copy(out, at, 0, Math.min(period.length, size - at));
  return out;
}

async function bytes(body) {
  return Buffer.from(await body.arrayBuffer());
}

async function ask(client, method, path, body = null) {
  const answer = await client.request({ method, path, body });
  return { status: answer.statusCode, body: await bytes(answer.body) };
}

// All on one connection, the answers in their order.
async function pipelined(pipelining) {
  const client = new Client(origin, { pipelining });
  const peers = new Set();
  await Promise.all(Array.from({ length: many }, async (_, i) => {
    const size = (i * 7919) % 5000;
    const kinds = ['peer', `stream/${size}`, `large/${size}`, 'none', 'hello'];
    const kind = kinds[i % kinds.length];
    const got = await ask(client, 'GET', `/${kind}`);
    assert.strictEqual(got.status, kind === 'none' ? 404 : 200, kind);
    if (kind === 'peer') peers.add(got.body.toString());
    else if (kind === 'hello') assert.strictEqual(`${got.body}`, 'hello\n');
    else if (kind !== 'none') assert(got.body.equals(pattern(size)), kind);
  }));
  assert.strictEqual(peers.size, 1);
  await client.close();
}

async function* pieces(size, piece) {
  const all = pattern(size);
  for (let at = 0; at < size; at += piece) yield all.subarray(at, at + piece);
}

// Sent and read at the same time; neither side holds all of it.
async function streams() {
  const pool = new Pool(origin, { connections: 4 });
  await Promise.all([1, 100, 70000, 3000000].map(async (size) => {
    for (const piece of [1000, 100000]) {
      if (size / piece > 1000) continue;
      const got = await ask(pool, 'POST', '/echo',
        Readable.from(pieces(size, piece)));
      assert.strictEqual(got.status, 200);
      assert(got.body.equals(pattern(size)), `${size} by ${piece}`);
    }
    const put = await ask(pool, 'PUT', '/count', pattern(size));
    assert.strictEqual(`${put.body}`, `${size} good\n`);
  }));
  await pool.close();
}

// Whatever is given up, and when: others get theirs.
async function aborted() {
  const agent = new Agent({ connections: 8 });
  const ways = [
    { path: '/slow/20', method: 'GET', after: 5 },
    { path: '/stream/50000000', method: 'GET', after: 3 },
    { path: '/large/10000000', method: 'GET', after: 1 },
    { path: '/echo', method: 'POST', after: 4, endless: true },
    { path: '/hello', method: 'GET', after: 0 },
  ];
  let given = 0;
  await Promise.all(Array.from({ length: many }, async (_, i) => {
    const way = ways[i % ways.length];
    const stop = new AbortController();
    const { path, method } = way;
    const body = way.endless ? Readable.from((async function* () {
      while (!stop.signal.aborted) {
        yield Buffer.alloc(1000);
        await new Promise(setImmediate);
      }
    })()) : null;
    try {
      const timer = setTimeout(() => stop.abort(), way.after);
      const answer = await agent.request(
        { origin, path, method, body, signal: stop.signal });
      await bytes(answer.body);
      clearTimeout(timer);
    } catch (error) {
      assert.strictEqual(error.name, 'AbortError', `${path}: ${error.stack}`);
      given++;
    }
    const got = await agent.request({ origin, path: '/hello', method: 'GET' });
    assert.strictEqual(`${await bytes(got.body)}`, 'hello\n');
  }));
  assert(given > 0);
  await agent.destroy();
}

async function fields() {
  const client = new Client(origin);
  const head = await client.request({ method: 'HEAD', path: '/large/1000' });
  assert.strictEqual(head.headers['content-length'], '1000');
  assert.strictEqual((await bytes(head.body)).length, 0);
  const wrong = await client.request({ method: 'DELETE', path: '/hello' });
  assert.strictEqual(wrong.statusCode, 405);
  assert(wrong.headers.allow.includes('GET'));
  await wrong.body.dump();
  const moved = await client.request({ method: 'GET', path: '/redirect/1' });
  assert.strictEqual(moved.statusCode, 302);
  assert.strictEqual(moved.headers.location, '/hello');
  await moved.body.dump();
  await client.close();
}

(async () => {
  await fields();
  await pipelined(1);
  await pipelined(10);
  await streams();
  await aborted();
})().catch((error) => {
  console.error(error);
  process.exit(1);
});
