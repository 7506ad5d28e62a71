/**
 * Mistakes of users. Each is answered in a few lines that say what was wrong, with the value, and what to do; with the
 * status of a usage error, nothing on stdout, no stack trace, and in a folder outside of the clone.
 */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { Scratch, terrarium } from '../support.js';

/** The command's words, and a part of the expected message. */
const table = `
run  =>  missing image: there is nothing to run
run ''  =>  the name of the image is empty
run nope.bin  =>  nope.bin: no such file
run dir  =>  dir: a directory without a guest.json
run ok.bin nope.bin  =>  ok.bin: no source, among several files
run dir ok.bin  =>  dir: a folder, among several files
run ok.bin ok.bin  =>  ok.bin: no source, among several files
run g1  =>  g1/guest.json: "image" does not name a file
run g2  =>  g2/guest.json: null is not an object of fields
run g3  =>  g3/guest.json: "image" names nope.bin, which is not there
run ok.bin --memory  =>  option '--memory <size>' argument missing
run ok.bin --memory ''  =>  '' is not a size. Write bytes, or a number with K, M or G: 64K, 16M.
run ok.bin --memory -1  =>  '-1' is not a size. Write bytes, or a number with K, M or G: 64K, 16M.
run ok.bin --memory 1e9  =>  '1e9' is not a size. Write bytes, or a number with K, M or G: 64K, 16M.
run ok.bin --memory 4095  =>  the memory region at 0x0 of 4095 bytes does not start and end on a page
run ok.bin --memory 16Q  =>  '16Q' is not a size. Write bytes, or a number with K, M or G: 64K, 16M.
run ok.bin --load -5  =>  '-5' is not an address. Write it as 0x7c00 or 31744.
run ok.bin --load 0xffffffffffffffffff  =>  '0xffffffffffffffffff' is not an address. Write it as 0x7c00 or 31744.
run ok.bin --load 16M  =>  '16M' is not an address. Write it as 0x7c00 or 31744.
run ok.bin --entry 0xfffffff0  =>  the entry 0xfffffff0 is not in guest memory
run ok.bin --stack zz  =>  'zz' is not an address. Write it as 0x7c00 or 31744.
run ok.bin --mode  =>  option '--mode <mode>' argument missing
run ok.bin --mode Real  =>  Allowed choices are auto, reset, real, protected, paged, pae, long.
run ok.bin --mode ''  =>  Allowed choices are auto, reset, real, protected, paged, pae, long.
run ok.bin --engine KVM  =>  Allowed choices are auto, kvm, soft.
run ok.bin --assist maybe  =>  Allowed choices are on, off.
run ok.bin --translate yes  =>  Allowed choices are off, on, eager.
run ok.bin --cpu-vendor via  =>  Allowed choices are intel, amd.
run ok.bin --machine mac  =>  Allowed choices are bare, pc.
run ok.bin --region 0  =>  '0' is not a region. Write it as ADDRESS:SIZE or ADDRESS:SIZE:ro.
run ok.bin --region 0x2000000:4096:rw  =>  '0x2000000:4096:rw' is not a region. Write it as ADDRESS:SIZE or ADDRESS
run ok.bin --region 0x2000000:1  =>  the memory region at 0x2000000 of 1 bytes does not start and end on a pa
run ok.bin --region 0:4096  =>  the memory region at 0x0 overlaps the one at 0x0
run ok.bin --region :  =>  '' is not a size. Write bytes, or a number with K, M or G: 64K, 16M.
run ok.bin --simvirtio poll  =>  Allowed choices are exits, polling.
run ok.bin --irqchip apic  =>  Allowed choices are none, user, split, kernel.
run ok.bin --clock cpu  =>  Allowed choices are instructions, paced, wall.
run ok.bin --ips 999  =>  '999' is not a whole number from 1000 to 1000000000.
run ok.bin --ips 99999999999999  =>  '99999999999999' is not a whole number from 1000 to 1000000000.
run ok.bin --seed -1  =>  '-1' is not a whole number from 0.
run ok.bin --seed x  =>  'x' is not a whole number from 0.
run ok.bin --device  =>  option '--device <module>' argument missing
run ok.bin --device nope.mjs  =>  nope.mjs could not be loaded
run ok.bin --device ok.bin  =>  ok.bin could not be loaded
run ok.bin --hypercalls nope.mjs  =>  nope.mjs could not be loaded
run ok.bin --as kernel  =>  Allowed choices are flat, boot-sector, floppy, disk, cdrom, rom, elf, mu
run ok.bin --disk nope.img  =>  nope.img: no such file
run ok.bin --disk dir  =>  dir: not a regular file
run ok.bin --disk ''  =>  '' is not a disk's file. Write it as FILE, FILE,write
run ok.bin --disk ok.bin  =>  ok.bin: 1 bytes are no disk: its size is not a multiple of 512
run ok.bin --floppy nope.img  =>  nope.img: no such file
run ok.bin --cdrom nope.iso  =>  nope.iso: no such file
run ok.bin --boot x  =>  'x' is not an order of drives. Letters are a (floppy), c (hard disk) and
run ok.bin --timeout  =>  option '--timeout <duration>' argument missing
run ok.bin --timeout -1s  =>  '-1s' is not a duration. Write it as 500ms, 2s or 1m.
run ok.bin --timeout 1h  =>  '1h' is not a duration. Write it as 500ms, 2s or 1m.
run ok.bin --max-exits -1  =>  '-1' is not a whole number from 1.
run ok.bin --max-exits 1.5  =>  '1.5' is not a whole number from 1.
run ok.bin --max-exits 99999999999999999999  =>  '99999999999999999999' is not a whole number from 1.
run ok.bin --expect ''  =>  the expectation '' is not NAME=VALUE
run ok.bin --expect rax  =>  the expectation 'rax' is not NAME=VALUE
run ok.bin --expect rax=  =>  the expectation 'rax=' has the value '', which is not a number
run ok.bin --expect rax=x  =>  the expectation 'rax=x' has the value 'x', which is not a number
run ok.bin --expect al=256  =>  the expectation 'al=256' has the value 256, which does not fit 8 bits
run ok.bin --expect mem8=1  =>  the expectation 'mem8=1' has no address
run ok.bin --expect mem8[zz]=1  =>  the expectation 'mem8[zz]=1' has the address 'zz'
run ok.bin --expect console=Hi  =>  the expectation 'console=Hi' has the value Hi, which is not a string
run ok.bin --expect outcome=done  =>  the expectation 'outcome=done' has the outcome 'done'
run ok.bin --expect code>1  =>  the expectation 'code>1' has '>', which only exits accepts
run ok.bin --keys mouse  =>  Allowed choices are serial, keyboard, both.
run ok.bin --screen  =>  --screen draws in a terminal, and stdin or stdout is not a terminal
run ok.bin --screenshot  =>  option '--screenshot <file[@moment]>' argument missing
run ok.bin --screenshot a.jpg  =>  'a.jpg' is not the name of a PNG: it has to end in .png.
run ok.bin --screenshot .png  =>  '.png' is not the name of a PNG: it has to end in .png.
run ok.bin --screenshot nope/a.png  =>  the folder 'nope' does not exist.
run ok.bin --screenshot a.png@soon  =>  'soon' is not a moment. Write HLT, 2s or 500ms, or exit:1000.
run ok.bin --screenshot a.png --screenshot a.png  =>  'a.png' would be written twice. Give each picture a file of its own.
run ok.bin --trace=nope/x.ndjson  =>  --trace: the folder nope of nope/x.ndjson does not exist
run ok.bin --trace=ok.bin  =>  --trace: ok.bin is an input of this command: it would be overwritten
run ok.bin --trace=dir  =>  --trace: dir is a folder
run ok.bin --trace-filter port  =>  --trace-filter has no trace to filter
run ok.bin --trace --trace-filter color=1  =>  'color=1': an exit has no field 'color'
run ok.bin --gdb=99999  =>  '99999' is not a port. Ports are 0 (any that is free) to 65535.
run ok.bin --gdb 4711  =>  for a value of --gdb write --gdb=4711
run ok.bin --trace nope/x.log  =>  for a value of --trace write --trace=nope/x.log
run ok.bin --gdb=nope/s.sock  =>  gdb cannot be served at nope/s.sock
run ok.bin --gdb --timeout 1s  =>  --timeout cannot be used with --gdb
run ok.bin --dump  =>  option '--dump <what>' argument missing
run ok.bin --dump everything  =>  'everything' cannot be shown; --dump can show: regs, gdt, idt, ldt, tss,
run ok.bin --dump code:zz  =>  'code:zz' cannot be shown; --dump can show: regs, gdt, idt, ldt, tss, pa
run ok.bin --report  =>  option '--report <file>' argument missing
run ok.bin --report nope/r.json  =>  --report: the folder nope of nope/r.json does not exist
run ok.bin --report ok.bin  =>  --report: ok.bin is an input of this command: it would be overwritten
run ok.bin --report dir  =>  --report: dir is a folder
run ok.bin --name ''  =>  '' cannot be a machine's name
run ok.bin --name 'a b'  =>  'a b' cannot be a machine's name
run ok.bin --detach  =>  --detach needs a name, by which the machine can be found
run ok.bin --syntax nasm  =>  Allowed choices are intel, att.
run bad.c --cc nope  =>  --cc names nope, which is not a program on this host
run ok.bin --trase  =>  unknown option '--trase'
run ok.bin -x  =>  unknown option '-x'
run ok.bin --type  =>  option '--type <text>' argument missing
run ok.bin --quiet=yes  =>  unknown option '--quiet=yes'
run ok.bin --load 0x1000 --mode reset  =>  ok.bin: a reset image cannot be moved to 0x1000: its end is at 1M, where
run ./ok.bin/x  =>  ./ok.bin/x: a part of its path is a file, not a folder
run /proc/self/mem  =>  mem: the image is empty
build  =>  required option '-o, --output <file>' not specified
build ok.bin -o x  =>  ok.bin: not a source
build bad.S -o nope/x  =>  --output: the folder nope of nope/x does not exist
build dir -o x  =>  dir: a directory without a guest.json
build g1 -o x  =>  g1/guest.json: "image" does not name a file
trace  =>  missing required argument 'file'
trace nope  =>  nope: no such file
trace notrace  =>  notrace: this is not a trace
trace t.ndjson  =>  t.ndjson: this is not a trace
trace t.ndjson --top 0  =>  '0' is not a whole number from 1.
trace t.ndjson --svg nope/x.svg  =>  t.ndjson: this is not a trace
stat  =>  missing required argument 'pid | name'
stat nope  =>  no machine called 'nope' runs
stat 999999999  =>  there is no process 999999999
stat -1  =>  '-1' cannot be a machine's name
ps extra  =>  too many arguments for 'ps'. Expected 0 arguments but got 1.
attach  =>  missing required argument 'name'
attach nope  =>  no machine called 'nope' runs
attach ''  =>  '' cannot be a machine's name
logs  =>  missing required argument 'name'
logs nope  =>  no machine called 'nope' runs
logs nope --lines x  =>  'x' is not a whole number from 1.
stop  =>  which machine?
stop nope  =>  no machine called 'nope' runs
rm  =>  which machine?
rm nope  =>  no machine called 'nope' runs
new  =>  missing required argument 'folder'
new ''  =>  the name of the folder is empty
new a --template cobol  =>  Allowed choices are asm16, asm32, asm64, nasm16, boot-sector, c32, tiny64, c64
new dir/a/b/c --template  =>  option '-t, --template <name>' argument missing
new ok.bin  =>  ok.bin: it is a file, or below one, and not a folder
new /proc/foo  =>  the folder /proc/foo cannot be made: /proc/foo: this file system cannot
course start  =>  missing required argument 'lesson'
course start 0  =>  command-argument value '0' is invalid for argument 'lesson'. '0' is not
course start 99  =>  there is no lesson 99
course start x  =>  command-argument value 'x' is invalid for argument 'lesson'. 'x' is not
course start 1 ok.bin  =>  ok.bin: it is a file, or below one, and not a folder
course check nope  =>  nope/guest.json: no such file
course check dir  =>  dir/guest.json: no such file
course check g1  =>  g1/guest.json names no lesson
course bogus  =>  unknown command 'bogus'
dap --port 99999  =>  '99999' is not a port. Ports are 0 (any that is free) to 65535.
dap --socket nope/x  =>  cannot listen on nope/x
verify --rounds x  =>  unknown option '--rounds'
verify --only nope  =>  --only nope: the opcode table has no 'nope' for this mode
verify --mode nope  =>  Allowed choices are long, protected, real.
bench nope  =>  unknown command 'nope'
bench io --rounds x  =>  'x' is not a whole number from 1.
doctor extra  =>  too many arguments for 'doctor'. Expected 0 arguments but got 1.
doctor --device  =>  option '--device <file>' argument missing
bogus  =>  unknown command 'bogus'
-v  =>  unknown option '-v'
--bogus  =>  unknown option '--bogus'
''  =>  unknown command ''
run ok.bin --gdb=-1  =>  '-1' is not a port
course strat 1  =>  unknown command 'strat'
help nope  =>  unknown command 'nope'
run ok.bin --device cjs/d.js  =>  Node takes it for a CommonJS module: name it d.mjs
run ok.bin --record nope/r.terra  =>  --record: the folder nope of nope/r.terra does not exist
run ok.bin --record dir  =>  --record: dir is a folder
run ok.bin --save ok.bin/x/y  =>  --save: the folder ok.bin/x of ok.bin/x/y does not exist
run ok.bin --screenshot ok.bin/x/a.png  =>  the folder 'ok.bin/x' does not exist.
run ok.bin --report ''  =>  --report: the name of the file is empty
run ok.bin --smp 0  =>  '0' is not a whole number from 1 to 16
run ok.bin --smp 17  =>  '17' is not a whole number from 1 to 16
run ok.bin --smp 2 --machine bare  =>  2 CPUs need local APICs, and a bare machine has none
run ok.bin --smp 2 --engine kvm --irqchip user  =>  2 CPUs need local APICs, and --irqchip user gives the engine kvm none
run ok.bin --smp-quantum 0  =>  '0' is not a whole number from 1 to 1000000000
run ok.bin --initrd nope  =>  nope: no such file
run ok.bin --module nope  =>  nope: no such file
run ok.bin --firmware nope  =>  nope: no such file
run ok.bin --from t.terra  =>  --from: the snapshot has its own image
run --from nope.terra  =>  nope.terra: no such file
run --from ok.bin  =>  ok.bin: this is no snapshot and no recording
run --from dir  =>  dir: this is not a file
run ok.bin --share x  =>  unknown option '--share'
run ok.bin --profile nope/x  =>  for a value of --profile write --profile=nope/x
debug  =>  debug draws in a terminal
debug ok.bin --memory x  =>  'x' is not a size
debug ok.bin --bogus  =>  unknown option '--bogus'
build '' -o x  =>  the name of the source is empty
build ok.bin  =>  required option '-o, --output <file>' not specified
build bad.S -o ''  =>  --output: the name of the file is empty
lab --port 99999  =>  '99999' is not a port
lab extra  =>  too many arguments for 'lab'
exercise new  =>  missing required argument 'folder'
exercise new ''  =>  the name of the folder is empty
exercise new ok.bin  =>  ok.bin: it is a file, or below one, and not a folder
exercise new /proc/foo  =>  the folder /proc/foo cannot be made
exercise check nope  =>  nope: no such folder
exercise check dir  =>  dir: no exercise: it has no exercise.json
exercise check ok.bin  =>  ok.bin: no such folder
exercise check ''  =>  the name of the folder is empty
exercise check e1  =>  e1/exercise.json: not JSON
exercise check e2  =>  e2/exercise.json: "guest" does not name the source
exercise check e3 --patience x  =>  'x' is not a duration
exercise pack nope  =>  nope: no such folder
exercise pack e3  =>  exercise pack: the target is missing
exercise pack e3 --students dir  =>  --students: dir is a folder
exercise pack e3 --students ''  =>  --students: the name of the file is empty
exercise pack e3 --students ok.bin/x.zip  =>  the folder ok.bin cannot be made
exercise pack e3 --gradescope /proc/zz/x.zip  =>  the folder /proc/zz cannot be made
exercise bogus  =>  unknown command 'bogus'
grade  =>  missing required argument 'exercise'
grade e3  =>  missing required argument 'submissions'
grade nope dir  =>  nope: no such folder
grade ok.bin dir  =>  ok.bin: no such folder
grade dir dir  =>  dir: no exercise: it has no exercise.json
grade '' dir  =>  the name of the exercise is empty
grade e3 nope  =>  nope: no such file or folder
grade e3 ok.bin/x  =>  ok.bin/x: no such file or folder
grade e3 ''  =>  the name of the submission is empty
grade e3 dir  =>  there are no submissions in dir
grade e3 git:nope  =>  git in nope
grade e3 sub --jobs 0  =>  '0' is not a whole number from 1.
grade e3 sub --jobs x  =>  'x' is not a whole number from 1.
grade e3 sub --patience x  =>  'x' is not a duration
grade e3 sub --json dir  =>  --json: dir is a folder
grade e3 sub --json ok.bin/x/y.json  =>  the folder ok.bin/x cannot be made
grade e3 sub --csv ''  =>  --csv: the name of the file is empty
grade e3 sub --junit /proc/zz/x  =>  the folder /proc/zz cannot be made
grade e3 sub --moodle dir  =>  --moodle: dir is a folder
grade e3 sub --html ok.bin  =>  the folder ok.bin cannot be made
grade e3 sub sub2 --student me  =>  --student is for one submission, and there are 2
grade e3 sub --queue x  =>  'x' is no address of a Redis
worker  =>  worker needs --queue REDIS-URL
worker --queue x  =>  'x' is no address of a Redis
worker --queue redis://h --jobs 0  =>  '0' is not a whole number from 1.
worker --queue redis://h --dashboard x  =>  'x' is not a port
worker --queue redis://h --patience x  =>  'x' is not a duration
worker extra  =>  too many arguments for 'worker'
snapshot nope  =>  missing required argument 'file'
snapshot nope x.terra  =>  no machine called 'nope' runs
snapshot nope ''  =>  the name of the file is empty
snapshot nope ok.bin/x/y  =>  the folder ok.bin/x of ok.bin/x/y does not exist
snapshot '' x.terra  =>  '' cannot be a machine's name
replay  =>  missing required argument 'files'
replay nope  =>  nope: no such file
replay ''  =>  the name of the file is empty
replay dir  =>  dir: this is not a file
replay ok.bin  =>  ok.bin: this is no snapshot and no recording
replay t.terra --against t.terra --queue redis://127.0.0.1:1  =>  --against compares one recording with another
replay t.terra --queue 'http://x'  =>  is no address of a Redis
verify --queue 'http://x'  =>  is no address of a Redis
verify --queue redis://127.0.0.1:1 --json  =>  cannot be used with
replay t.terra --translate maybe  =>  Allowed choices are off, on, eager.
run t.terra  =>  t.terra: this is a snapshot or a recording, and not an image
run --firmware sub/k.S  =>  sub/k.S: this is a text, and no ROM
trace ''  =>  the name of the file is empty
trace dir  =>  dir: this is a folder, not a file
trace t.ndjson --since x  =>  unknown option '--since'
stat nope --interval x  =>  'x' is not a duration
logs nope --follow  =>  no machine called 'nope' runs
stop nope --grace x  =>  'x' is not a duration
stop nope --all  =>  nope, or all?
rm nope --all  =>  nope, or all?
course check nope --engine x  =>  Allowed choices are auto, kvm, soft.
course check ''  =>  the name of the folder is empty
course start 1 ''  =>  the name of the folder is empty
course start 1 /proc/zz  =>  the folder /proc/zz cannot be made
dap --socket ''  =>  --socket: the name of the file is empty
dap --vsix nope/x.vsix  =>  --vsix: the folder nope of nope/x.vsix does not exist
dap --port 1 --socket x  =>  --port and --socket exclude each other
dap --install-vscode --code nope  =>  nope did not install the extension: the command was not found
verify --seed x  =>  'x' is not a whole number below 2^32.
bench io --engine x  =>  Allowed choices are auto, kvm, soft.
bench io --accesses 99999999  =>  99999999 accesses are more than 65535
bench io --svg nope/x.svg  =>  --svg: the folder nope of nope/x.svg does not exist
doctor --device ''  =>  --device: the name of the file is empty
disasm ok.bin  =>  unknown command 'disasm'
`;

/** Words as a shell reads them: quoted words may contain spaces, or be empty. */
function wordsOf(line: string): string[] {
  return [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '');
}

describe('a wrong input', () => {
  const scratch = new Scratch();
  after(() => scratch[Symbol.dispose]());
  const rows = table
    .trim()
    .split('\n')
    .map((row) => row.split('  =>  '));
  assert.ok(rows.length >= 250, `${rows.length}`);
  before(() => {
    // The kind of a module is given only by its name, about which some versions of Node warn.
    Object.assign(process.env, { NODE_NO_WARNINGS: '1', XDG_RUNTIME_DIR: scratch.path });
    for (const folder of ['', 'dir', 'g1', 'g2', 'g3', 'cjs', 'e1', 'e2', 'e3', 'sub', 'sub2'])
      mkdirSync(scratch.file(`w/${folder}`));
    const exercise = { guest: { image: 'k.S', mode: 'real' }, checks: [{ expect: 'ax=1', missing: '-' }] };
    const files = {
      // HLT
      'ok.bin': '\xf4',
      'bad.S': 'x y z\n',
      'bad.c': 'int main( {\n',
      notrace: 'not\n',
      't.ndjson': '{"a":1}\n',
      't.terra': '\x89TERRA\r\n',
      'cjs/package.json': '{ "type": "commonjs" }',
      'cjs/d.js': "export default () => ({ name: 'd' });\n",
      'e1/exercise.json': '{',
      'e2/exercise.json': '{}',
      'e3/exercise.json': JSON.stringify(exercise),
      'sub/k.S': 'hlt\n',
      'sub2/k.S': 'hlt\n',
      'g1/guest.json': '{}',
      'g2/guest.json': 'null',
      'g3/guest.json': '{"image":"nope.bin"}',
    };
    for (const [name, text] of Object.entries(files))
      writeFileSync(scratch.file(`w/${name}`), Buffer.from(text, 'latin1'));
  });

  for (const [line = '', said = ''] of rows) {
    test(`terrarium ${line}`, () => {
      const { status, stdout, stderr: bytes } = terrarium(wordsOf(line), { cwd: scratch.file('w') });
      const stderr = Buffer.from(bytes, 'latin1').toString();
      assert.equal(status, 2, stderr);
      assert.equal(stdout, '');
      assert.match(stderr, /^terrarium: /);
      assert.ok(stderr.includes(said), stderr);
      const lines = stderr.trimEnd().split('\n');
      assert.ok(lines.length >= 2, `what to do is not said: ${stderr}`);
      assert.ok(lines.length <= 6, stderr);
      assert.doesNotMatch(stderr, /\n\s+at |undefined|\[object|NaN/);
    });
  }
});
