/**
 * Debian's stock kernel on a user-mode network, with a virtio card: an address by DHCP, a web page from the host, and
 * one from the guest.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer, get } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { hostMachine } from '../../src/index.js';
import { initial, noVirtioLinux } from '../devices/virtio/debian.js';
import { debian, without } from '../firmware/systems.js';
import { Scratch } from '../support.js';

const noTshark = without({ tshark: 'tshark' });

/** The script that udhcpc calls with its results. */
const SET_UP =
  'printf \'#!/bin/sh\\n[ "$1" = bound ] || exit 0; ifconfig $interface $ip netmask $subnet; route add default gw $router\\n\' > /set-up';

function script(port: number): string {
  return [
    SET_UP,
    'chmod +x /set-up; ip link set eth0 up; udhcpc -i eth0 -n -q -s /set-up; ip addr show eth0',
    'ping -c 1 10.0.2.2',
    `wget -q -O - http://10.0.2.2:${port}/`,
    'mkdir /www; echo a page of the guest > /www/index.html; httpd -p 80 -h /www; echo serving',
    'while [ ! -e /www/over ]; do wget -q -O /www/over http://10.0.2.2:' +
      port +
      '/over || { rm -f /www/over; sleep 1; }; done',
  ].join('\n');
}

/** A web page of the guest, by the forwarded port. */
async function page(port: number): Promise<string> {
  const [response] = await once(get({ port, host: '127.0.0.1', agent: false }), 'response');
  let text = '';
  for await (const chunk of response) text += chunk;
  return text;
}

test('Linux has an address, reads the host’s page and shows its own', { skip: noVirtioLinux }, async () => {
  using folder = new Scratch();
  let isOver = false;
  const server = createServer((request, response) => {
    response.statusCode = request.url === '/over' && !isOver ? 404 : 200;
    response.end('a page of the host\n');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const free = createServer().listen(0, '127.0.0.1');
  await once(free, 'listening');
  const { port: hostPort } = free.address() as AddressInfo;
  free.close();
  await once(free, 'close');
  const [initrd, pcap] = [folder.file('initrd'), folder.file('frames.pcap')];
  writeFileSync(initrd, initial(['failover', 'netFailover', 'net'], script(port)));
  await using machine = await hostMachine({
    engine: 'soft',
    machine: 'pc',
    image: debian!.kernel,
    append: 'console=ttyS0 quiet panic=-1 nokaslr',
    initrds: [initrd],
    nets: [{ kind: 'user', outside: true, pcap, forwards: [{ hostPort, guestPort: 80 }] }],
  });
  let said = '';
  let shown: Promise<string> | undefined;
  machine.onOutput((bytes) => {
    said += Buffer.from(bytes).toString('latin1');
    if (!/serving/.test(said)) return;
    shown ??= page(hostPort).finally(() => {
      isOver = true;
    });
  });
  const outcome = await machine.run({ timeoutMs: 480_000 });
  server.close();
  assert.equal(outcome.kind, 'poweredOff', said.slice(-2000));
  assert.match(said, /inet 10\.0\.2\.15\/24/);
  assert.match(said, /1 packets received/);
  assert.match(said, /a page of the host/);
  assert.equal(await shown, 'a page of the guest\n');
  await machine[Symbol.asyncDispose]();
  if (noTshark) return;
  const words = ['-r', pcap, '-o', 'tcp.check_checksum:TRUE', '-o', 'ip.check_checksum:TRUE'];
  const seen = spawnSync('tshark', [...words, '-o', 'udp.check_checksum:TRUE'], { encoding: 'utf8' }).stdout;
  assert.match(seen, /DHCP Discover[\s\S]*DHCP Offer[\s\S]*DHCP Request[\s\S]*DHCP ACK/);
  assert.match(seen, /HTTP.*GET \//);
  const faults = [
    '-Y',
    'tcp.checksum.status == 0 or ip.checksum.status == 0 or udp.checksum.status == 0 or _ws.malformed',
  ];
  const bad = spawnSync('tshark', [...words, '-o', 'udp.check_checksum:TRUE', ...faults], {
    encoding: 'utf8',
  }).stdout;
  assert.equal(bad, '');
});
