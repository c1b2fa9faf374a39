'use strict';
// Registers with JsSIP over TLS, then does what is typed: "again" registers once more, "leave" unregisters and ends.
// What it prints: "answer <status>" for each answer, "registered", "refused <status>", "unregistered".

const tls = require('tls');
const fs = require('fs');
const readline = require('readline');
const JsSIP = require(process.env.JSSIP);

const { NODE_PORT, NODE_NAME, NODE_CA, AUTHORIZATION } = process.env;

// JsSIP speaks over WebSocket unless it is given a socket: these members are what it asks of one. It takes one whole
// message at a time, so this cuts the stream of TLS by Content-Length.
class TlsSocket {
  constructor() {
    this.url = `tls://127.0.0.1:${NODE_PORT}`;
    this.via_transport = 'TLS';
    this.sip_uri = `sip:127.0.0.1:${NODE_PORT};transport=tls`;
    this.pending = Buffer.alloc(0);
  }

  connect() {
    const options = {
      host: '127.0.0.1', port: Number(NODE_PORT), servername: NODE_NAME, ca: fs.readFileSync(NODE_CA),
    };
    this.stream = tls.connect(options, () => this.onconnect());
    this.stream.on('data', (bytes) => this.take(bytes));
    this.stream.on('error', (error) => console.log(`tls: ${error.message}`));
    this.stream.on('close', (failed) => this.ondisconnect(failed));
  }

  disconnect() {
    this.stream.end();
  }

  send(message) {
    return this.stream.write(message);
  }

  take(bytes) {
    this.pending = Buffer.concat([this.pending, bytes]);
    for (;;) {
      const head = this.pending.indexOf('\r\n\r\n');
      if (head < 0) return;
      const length = /^content-length: *(\d+)/im.exec(this.pending.toString('latin1', 0, head));
      const end = head + 4 + Number(length ? length[1] : 0);
      if (this.pending.length < end) return;
      const message = this.pending.toString('utf8', 0, end);
      this.pending = this.pending.subarray(end);
      console.log(`answer ${message.split(' ')[1]}`);
      this.ondata(message);
    }
  }
}

const phone = new JsSIP.UA({
  sockets: [new TlsSocket()],
  uri: `sip:1010@${NODE_NAME}`,
  registrar_server: `sip:${NODE_NAME}`,
  authorization_jwt: AUTHORIZATION,
  register: false,
});
const registrator = phone.registrator();

phone.on('connected', () => registrator.register());
phone.on('registered', () => console.log('registered')); // the first time only
phone.on('registrationFailed', ({ response }) => console.log(`refused ${response && response.status_code}`));
phone.on('unregistered', () => {
  console.log('unregistered');
  phone.stop();
  keyboard.close();
});
const keyboard = readline.createInterface({ input: process.stdin });
keyboard.on('line', (word) => (word === 'again' ? registrator.register() : registrator.unregister()));
phone.start();
