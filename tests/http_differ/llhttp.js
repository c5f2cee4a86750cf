// llhttp.js - what Node's http server, that is llhttp, says about requests.
//
// Reads messages from its standard input, each behind its length in four bytes,
// and gives each to a server of its own on a stream that is no socket.  Answers
// with the parts of struct said (differ.h), each ended by a zero byte.
//
// SPDX-License-Identifier: MIT
'use strict';
const http = require('http');
const { Duplex } = require('stream');

let said = null;

function take(kind) {
  return (req, res) => {
    if (said === null || said.req !== undefined) return;
    said.req = req;
    if (kind !== 'request') {
      said.upgrade = true;
      return;
    }
    said.keep = res.shouldKeepAlive;
    req.on('data', (chunk) => { said.body += chunk.toString('latin1'); });
    req.on('error', () => {});
    res.on('error', () => {});
  };
}

const server = http.createServer({ requireHostHeader: false }, take('request'));
server.on('checkContinue', take('request'));
server.on('checkExpectation', take('request'));
server.on('upgrade', take('upgrade'));
server.on('connect', take('connect'));
server.on('clientError', (err) => {
  if (said !== null && said.why === '') said.why = err.code || err.message;
});

function tick() { return new Promise((resolve) => setImmediate(resolve)); }

function tell() {
  const { req } = said;
  let state = 0;
  if (req !== undefined && (req.complete || said.upgrade)) state = 1;
  else if (said.why !== '') state = 2;
  let line = '', fields = '';
  if (req !== undefined) {
    line = `${req.method} ${req.url} ${req.httpVersion}`;
    for (let i = 0; i < req.rawHeaders.length; i += 2)
      fields += `${req.rawHeaders[i]}:${req.rawHeaders[i + 1]}\n`;
  }
  const parts = [state, state === 2 ? said.why : '', +(req !== undefined),
    +!!said.keep, +said.upgrade, line, fields, said.body];
  process.stdout.write(Buffer.from(
    parts.map((part) => String(part).replace(/\0/g, '\x01') + '\0').join(''),
    'latin1'));
}

async function one(bytes) {
  const stream = new Duplex({ read() {}, write(c, e, done) { done(); } });
  said = { why: '', body: '', upgrade: false };
  stream.on('error', () => {});
  server.emit('connection', stream);
  stream.push(bytes);
  for (let i = 0; i < 4; i++) await tick();
  tell();
  said = null;
  stream.destroy();
}

async function main() {
  let rest = Buffer.alloc(0);
  for await (const chunk of process.stdin) {
    rest = Buffer.concat([rest, chunk]);
    while (rest.length >= 4 && rest.length >= 4 + rest.readUInt32LE(0)) {
      const end = 4 + rest.readUInt32LE(0);
      await one(rest.subarray(4, end));
      rest = rest.subarray(end);
    }
  }
  process.exit(0);
}

main();
