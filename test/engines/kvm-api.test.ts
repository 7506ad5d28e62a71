/** docs/kvm-api.md names every ioctl, and only existing methods. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import * as ioctls from '../../src/engine/kvm/api/ioctls.js';
import { hostAddress, Kvm } from '../../src/engine/kvm/index.js';
import { noKvm } from '../support.js';

const page = readFileSync('docs/kvm-api.md', 'utf8');

describe('docs/kvm-api.md', () => {
  test('names every ioctl that Terrarium knows', () => {
    for (const name of Object.keys(ioctls)) assert.match(page, new RegExp(`\\b${name}\\b`), name);
  });

  test('names only methods that the handles have', { skip: noKvm }, () => {
    using kvm = Kvm.open();
    using vm = kvm.createVm();
    using vcpu = vm.createVcpu();
    for (const [heading, handle] of [
      ['The device: `Kvm`', kvm],
      ['A VM: `Vm`', vm],
      ['A vCPU: `Vcpu`', vcpu],
    ] as const) {
      const table = page.split(`## ${heading}\n`)[1]!.split('\n\n')[0]!;
      const methods = [...table.matchAll(/`([a-z]\w*)`/g)].map(([, name]) => name!);
      assert.ok(methods.length >= 8, heading);
      for (const name of methods) assert.ok(name in handle, `${heading} ${name}`);
    }
  });
});

describe('the address of bytes', { skip: noKvm }, () => {
  test('is that of a page, and is refused for others', () => {
    const { buffer } = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
    assert.equal(hostAddress(new Uint8Array(buffer)) % 4096n, 0n);
    assert.equal(hostAddress(new Uint8Array(buffer, 4096)), hostAddress(new Uint8Array(buffer)) + 4096n);
    assert.throws(() => hostAddress(new Uint8Array(buffer, 16)), {
      code: 'EINVAL',
      message: /not the start of a page/,
    });
  });
});
