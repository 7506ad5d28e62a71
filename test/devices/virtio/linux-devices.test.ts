/** Debian’s stock kernel drives the devices that are no disks, with its own modules. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type KeyEvent, loopback } from '../../../src/devices/index.js';
import { APPEND, bootLinux, initial, noVirtioLinux } from './debian.js';

const OTHERS = `
echo rng: $(cat /sys/class/misc/hw_random/rng_current)
echo random: $(dd if=/dev/hwrng bs=32 count=1 2>/dev/null | wc -c)
echo hvc0 writes > /dev/hvc0
echo size $(stty size < /dev/hvc0)
echo port: $(cat /sys/class/virtio-ports/vport*p1/name)
port=/dev/$(basename $(ls -d /sys/class/virtio-ports/vport*p1))
exec 3<>$port
echo ready >&3
read line <&3
echo heard: $line
echo mac: $(cat /sys/class/net/eth0/address) mtu $(cat /sys/class/net/eth0/mtu)
ip link set eth0 up
arping -c 1 -w 1 -I eth0 10.0.0.9 >/dev/null
echo received $(cat /sys/class/net/eth0/statistics/rx_packets)
grep -c virtio /proc/interrupts
echo input: $(cat /sys/class/input/input*/name)
for one in /sys/class/input/event*; do grep -q Terrarium.keyboard $one/device/name && event=$(basename $one); done
(sleep 1; echo press >&3) &
echo key $(dd if=/dev/input/$event bs=24 count=1 2>/dev/null | tail -c 8 | hexdump -v -e '/2 "%04x "')
`;

test('Debian’s kernel gets random bytes, talks through a console’s ports, and has a network card, keys and a balloon', {
  skip: noVirtioLinux,
}, () => {
  const initrd = initial(
    ['rng', 'console', 'evdev', 'input', 'failover', 'netFailover', 'net', 'balloon'],
    OTHERS,
  );
  let agent = '';
  const [typed, pressed]: [number[], KeyEvent[]] = [[], []];
  const { said, end } = bootLinux(initrd, {
    // With interrupt pins, which six devices share: messages are in the test of disks.
    append: `${APPEND} pci=nomsi`,
    virtio: ['rng', 'console', 'keyboard', 'tablet', 'balloon'],
    networks: [loopback()],
    keys: {
      source: {
        read: () => pressed.shift(),
        get available() {
          return pressed.length > 0;
        },
      },
    },
    ports: [
      {
        name: 'org.terrarium.agent',
        output(bytes) {
          agent += Buffer.from(bytes).toString();
          if (agent === 'ready\n') typed.push(...Buffer.from('a line for the guest\n'));
          if (agent.endsWith('press\n')) pressed.push({ name: 'KeyA', down: true });
        },
        input: {
          read: () => typed.shift() ?? -1,
          get available() {
            return typed.length > 0;
          },
        },
      },
    ],
  });
  for (const expected of [
    /rng: virtio_rng\.0/,
    /random: 32/,
    /hvc0 writes/,
    /size (25 80|80 25)/,
    /port: org\.terrarium\.agent/,
    /heard: a line for the guest/,
    /mac: 52:54:00:12:34:56 mtu 1500/,
    /received [1-9]/,
    /Terrarium keyboard Terrarium tablet/,
    /key 0001 001e 0001 0000/,
  ])
    assert.match(said, expected, `${end}\n${said}`);
  assert.equal(agent, 'ready\npress\n');
});
